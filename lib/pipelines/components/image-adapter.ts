import type {CompiledFunction, RunOptions} from '../../engine/compiled-function.ts';
import type {Tensor} from '../../graph/tensor.ts';
import {
  adapterKeyValues,
  adapterTexts,
  type ImageTokensInputs,
  imageTokens,
} from '../../models/ip-adapter.ts';
import type {CrossAttentionLayer, KeyValue} from '../../models/unet.ts';
import type {WeightSource} from '../../nn/weights.ts';
import type {AdapterDescription} from '../../weights/adapter-kind.ts';
import {download, type HostTensor, upload} from '../host-tensor.ts';
import {Component, type ComponentSettings, oncePerPicture} from './component.ts';
import type {ImageFeatures} from './image-encoder.ts';

/** What a batch of tokens is made from, one row each; texts only where the adapter attends to them. */
export interface TokenInputs {
  readonly image: HostTensor;
  readonly instruction?: HostTensor | undefined;
  readonly prompt?: HostTensor | undefined;
}

/** An IP-Adapter of any kind: image features, and the instruction, to tokens, keys and values. */
export class ImageAdapter extends Component {
  readonly description: AdapterDescription;
  /** The UNet's cross-attentions, which the adapter extends. */
  readonly layers: readonly CrossAttentionLayer[];
  readonly compiledTokens: CompiledFunction<ImageTokensInputs, Tensor>;
  /** Tokens float32 [B, N, C] → keys and values of every layer. */
  readonly keyValues: CompiledFunction<{tokens: Tensor}, readonly KeyValue[]>;

  constructor(
    settings: ComponentSettings,
    source: WeightSource,
    description: AdapterDescription,
    layers: readonly CrossAttentionLayer[],
  ) {
    super(settings, source);
    this.description = description;
    this.layers = layers;
    const {engine, weights, dtype} = this;
    const tokens = (inputs: ImageTokensInputs) => imageTokens(weights, description, inputs, dtype);
    this.compiledTokens = engine.compile('adapter.tokens', tokens, oncePerPicture);
    this.keyValues = engine.compile(
      'adapter.keys',
      ({tokens}) => adapterKeyValues(weights, layers, tokens, dtype),
      oncePerPicture,
    );
  }

  /** Which of the image encoder's results it reads. */
  get features(): ImageFeatures {
    return this.description.kind === 'classic' ? 'embeds' : 'penultimate';
  }

  get readsInstruction(): boolean {
    return adapterTexts(this.description).includes('instruction');
  }

  get readsPrompt(): boolean {
    return adapterTexts(this.description).includes('prompt');
  }

  /** Tokens for the UNet: float32 [B, N, crossAttentionDim]. */
  async tokens(inputs: TokenInputs, options?: RunOptions): Promise<HostTensor> {
    const {device} = this.engine;
    const uploaded = {
      image: upload(device, inputs.image),
      instruction: inputs.instruction && upload(device, inputs.instruction),
      prompt: inputs.prompt && upload(device, inputs.prompt),
    };
    try {
      return await download(await this.compiledTokens.run(uploaded, options));
    } finally {
      for (const tensor of Object.values(uploaded)) tensor?.dispose();
    }
  }
}
