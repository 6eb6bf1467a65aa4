import type {AdapterDescription} from './adapter-kind.ts';

/** Widths of a CLIP image encoder, as its `config.json` has them (`hidden_size`, `projection_dim`). */
export interface ImageEncoderWidths {
  readonly hiddenSize: number;
  readonly projectionDim: number;
}

const PUBLIC_ENCODERS: readonly (ImageEncoderWidths & {readonly name: string})[] = [
  {name: 'CLIP ViT-H/14 (laion/CLIP-ViT-H-14-laion2B-s32B-b79K)', hiddenSize: 1280, projectionDim: 1024},
  {
    name: 'CLIP ViT-bigG/14 (laion/CLIP-ViT-bigG-14-laion2B-39B-b160k)',
    hiddenSize: 1664,
    projectionDim: 1280,
  },
  {name: 'CLIP ViT-L/14 (openai/clip-vit-large-patch14)', hiddenSize: 1024, projectionDim: 768},
];

/**
 * Says what is wrong with an image encoder for an adapter, naming the right one, or gives undefined where it
 * fits. The classic adapter takes the pooled, projected embedding; all others take the hidden states before
 * the last layer.
 */
export function wrongEncoderMessage(
  adapter: AdapterDescription,
  encoder: ImageEncoderWidths,
): string | undefined {
  const key = adapter.kind === 'classic' ? 'projectionDim' : 'hiddenSize';
  if (encoder[key] === adapter.imageWidth) return undefined;
  const features = adapter.kind === 'classic' ? 'pooled embeddings' : 'hidden states';
  const right = PUBLIC_ENCODERS.find(candidate => candidate[key] === adapter.imageWidth)?.name;
  const given = PUBLIC_ENCODERS.find(
    ({hiddenSize, projectionDim}) =>
      hiddenSize === encoder.hiddenSize && projectionDim === encoder.projectionDim,
  )?.name;
  return (
    `image encoder: expected ${features} of ${adapter.imageWidth} channels, which this adapter takes; ` +
    `got ${encoder[key]}${given ? `, from ${given}` : ''}. ` +
    `Use ${right ?? 'the image encoder that the adapter was trained with'}.`
  );
}
