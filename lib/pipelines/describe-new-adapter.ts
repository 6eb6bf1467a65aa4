/**
 * Adapters that no file describes: those of random models, and those that training begins with.
 */
import type {AdapterDescription, ResamplerAdapter} from '../weights/adapter-kind.ts';

export const newAdapterKinds = ['classic', 'plus', 'instruct', 'instruct-paper'] as const;
export type NewAdapterKind = (typeof newAdapterKinds)[number];

export interface ResamplerSizes {
  readonly dim: number;
  readonly heads: number;
  readonly dimHead: number;
  readonly depth: number;
}

export interface AdapterPlace {
  /** Channels of the image encoder's embeddings for the kind `classic`, of its hidden states for all others. */
  readonly imageWidth: number;
  /** Channels of the instruction's tokens. */
  readonly textWidth: number;
  readonly crossAttentionDim: number;
  /** Cross-attentions of the UNet. */
  readonly attentionLayers: number;
}

/** The hidden width of feed-forwards after text attentions, in units of `dim`, in both forms of IPAdapter-Instruct. */
const textFeedForwardMult = 2;

/** A new adapter with the published numbers of tokens and layers. */
export function describeNewAdapter(
  kind: NewAdapterKind,
  resampler: ResamplerSizes,
  {textWidth, ...base}: AdapterPlace,
): AdapterDescription {
  if (kind === 'classic') return {kind, numTokens: 4, ...base};
  const plus = {kind: 'plus', numTokens: 16, ...resampler, feedForwardMult: 4, ...base} as const;
  return kind === 'plus' ? plus : withInstruction(plus, kind, textWidth);
}

/** The IPAdapter-Instruct that an IP-Adapter+ becomes by attending to texts of so many channels. */
export function withInstruction(
  plus: ResamplerAdapter & {readonly kind: 'plus'},
  kind: 'instruct' | 'instruct-paper',
  textWidth: number,
): ResamplerAdapter {
  return {...plus, kind, instruction: {textWidth, feedForwardMult: textFeedForwardMult}};
}
