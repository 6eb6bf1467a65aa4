import type {CompiledFunction} from '../../engine/compiled-function.ts';
import {slice} from '../../graph/ops/index.ts';
import type {Tensor} from '../../graph/tensor.ts';
import {type ControlNetInputs, sumControlResiduals} from '../../models/controlnet.ts';
import {
  type KeyValue,
  type UNetInputs,
  unet,
  unetTextKeyValues,
  unetTimeProjections,
} from '../../models/unet.ts';
import {type ObservedUNet, unetWithAttentionMaps} from '../../models/unet-attention-maps.ts';
import type {UNetConfig} from '../../models/unet-config.ts';
import type {WeightSource} from '../../nn/weights.ts';
import {Component, type ComponentSettings, oncePerPicture} from './component.ts';
import type {ControlNet} from './control-net.ts';

/** What a step reads; a ControlNet sees the latents' channels only of an inpainting sample. */
export type StepInputs = Omit<UNetInputs, 'downResiduals' | 'midResidual'> & {
  /** One entry for each active ControlNet, in the order of the denoiser's list. */
  readonly controls?: readonly Omit<ControlNetInputs, 'sample'>[] | undefined;
};

/** The UNet, with the ControlNets' residuals in the same program so that they never leave the device. */
export class Denoiser extends Component {
  readonly config: UNetConfig;
  readonly textKeyValues: CompiledFunction<{encoderHiddenStates: Tensor}, readonly KeyValue[]>;
  readonly timeProjections: CompiledFunction<{timesteps: Tensor}, Tensor>;
  readonly #steps = new Map<string, CompiledFunction<StepInputs, Tensor>>();
  readonly #observedSteps = new Map<string, CompiledFunction<StepInputs, ObservedUNet>>();

  constructor(settings: ComponentSettings, source: WeightSource, config: UNetConfig) {
    super(settings, source);
    this.config = config;
    const {engine, weights, dtype} = this;
    this.textKeyValues = engine.compile(
      'unet.text',
      ({encoderHiddenStates}) => unetTextKeyValues(weights, config, encoderHiddenStates, dtype),
      oncePerPicture,
    );
    this.timeProjections = engine.compile(
      'unet.time',
      ({timesteps}) => unetTimeProjections(weights, config, timesteps, dtype),
      oncePerPicture,
    );
  }

  /** The same UNet with other weights. */
  withWeights(source: WeightSource): Denoiser {
    return new Denoiser(this, source, this.config);
  }

  /** One evaluation together with the given ControlNets: prediction float32 [B, C, h, w]. */
  step(active: readonly ControlNet[]): CompiledFunction<StepInputs, Tensor> {
    const key = keyOf(active);
    const known = this.#steps.get(key);
    if (known !== undefined) return known;
    const compiled = this.engine.compile('unet', (inputs: StepInputs) =>
      unet(this.weights, this.config, withControls(active, inputs), this.dtype),
    );
    this.#steps.set(key, compiled);
    return compiled;
  }

  /** As {@link step}, with the attention maps of the images' tokens. */
  observedStep(active: readonly ControlNet[]): CompiledFunction<StepInputs, ObservedUNet> {
    const key = keyOf(active);
    const known = this.#observedSteps.get(key);
    if (known !== undefined) return known;
    const compiled = this.engine.compile('unet.observed', (inputs: StepInputs) =>
      unetWithAttentionMaps(this.weights, this.config, withControls(active, inputs), this.dtype),
    );
    this.#observedSteps.set(key, compiled);
    return compiled;
  }
}

function keyOf(active: readonly ControlNet[]): string {
  return active.map(net => net.label).join(' ');
}

/** Computes the ControlNets' residuals. */
function withControls(active: readonly ControlNet[], {controls = [], ...inputs}: StepInputs): UNetInputs {
  if (active.length === 0) return inputs;
  const residuals = active.map((net, index) =>
    net.trace({...controls[index]!, sample: latentsOf(inputs.sample, net.config.inChannels)}),
  );
  return {...inputs, ...sumControlResiduals(residuals)};
}

/** The first channels of a sample: the latents, where an inpainting checkpoint's sample holds more. */
function latentsOf(sample: Tensor, channels: number): Tensor {
  return sample.dim(1) === channels ? sample : slice({x: sample}, {axis: 1, start: 0, length: channels});
}
