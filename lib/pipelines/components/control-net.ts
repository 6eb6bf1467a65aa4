import type {CompiledFunction} from '../../engine/compiled-function.ts';
import type {Tensor} from '../../graph/tensor.ts';
import {
  type ControlNetInputs,
  type ControlResiduals,
  controlNet,
  controlNetTextKeyValues,
  controlNetTimeProjections,
} from '../../models/controlnet.ts';
import {controlNetConditioning} from '../../models/controlnet-conditioning.ts';
import type {ControlNetConfig} from '../../models/controlnet-config.ts';
import type {KeyValue} from '../../models/unet.ts';
import type {WeightSource} from '../../nn/weights.ts';
import {Component, type ComponentSettings, oncePerPicture} from './component.ts';

/** A ControlNet: what it needs once a generation, and its part of a step. */
export class ControlNet extends Component {
  readonly config: ControlNetConfig;
  /** float32 [B, 3, H, W] in 0 … 1 → the control picture at the latents' size. */
  readonly conditioning: CompiledFunction<{image: Tensor}, Tensor>;
  readonly textKeyValues: CompiledFunction<{encoderHiddenStates: Tensor}, readonly KeyValue[]>;
  readonly timeProjections: CompiledFunction<{timesteps: Tensor}, Tensor>;

  constructor(settings: ComponentSettings, source: WeightSource, config: ControlNetConfig) {
    super(settings, source);
    this.config = config;
    const {engine, weights, dtype} = this;
    const {label} = source;
    this.conditioning = engine.compile(
      `${label}.conditioning`,
      ({image}) => controlNetConditioning(weights, config, image, dtype),
      oncePerPicture,
    );
    this.textKeyValues = engine.compile(
      `${label}.text`,
      ({encoderHiddenStates}) => controlNetTextKeyValues(weights, config, encoderHiddenStates, dtype),
      oncePerPicture,
    );
    this.timeProjections = engine.compile(
      `${label}.time`,
      ({timesteps}) => controlNetTimeProjections(weights, config, timesteps, dtype),
      oncePerPicture,
    );
  }

  /** The residuals of a step, as part of a larger traced function. */
  trace(inputs: ControlNetInputs): ControlResiduals {
    return controlNet(this.weights, this.config, inputs, this.dtype);
  }
}
