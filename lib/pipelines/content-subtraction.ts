/**
 * InstantStyle's subtraction (Wang et al. 2024, `get_image_embeds` of its code): what remains of an image's CLIP
 * embedding without that of a text which names the content is the style. Neither is normalised.
 */
import type {RunOptions} from '../engine/compiled-function.ts';
import {ArgumentError} from '../errors.ts';
import type {ImageAdapter} from './components/image-adapter.ts';
import type {TextEncoder} from './components/text-encoder.ts';
import type {HostTensor} from './host-tensor.ts';

/**
 * @param encoder of the contents
 * @throws ArgumentError unless the adapter reads one embedding of an image, in a space that it shares with the encoder's
 */
export function checkContentSubtraction({description}: ImageAdapter, encoder: TextEncoder): void {
  const {kind, imageWidth} = description;
  if (kind !== 'classic') {
    throw new ArgumentError(
      "negContentPrompt: expected an adapter of the kind 'classic', which reads an image as one embedding, but the " +
        `loaded one is of the kind '${kind}' and reads hidden states, which texts do not share. ` +
        'Load a classic IP-Adapter, or leave negContentPrompt out.',
    );
  }
  const {projectionDim} = encoder.config;
  if (projectionDim !== imageWidth) {
    const got =
      projectionDim === undefined ? 'without a projection' : `with a projection to ${projectionDim}`;
    throw new ArgumentError(
      `negContentPrompt: expected the image encoder's own text tower, with a projection to ${imageWidth} channels, but ` +
        `the ${encoder.label} is one ${got}. Load the pipeline with that CLIPTextModelWithProjection as ` +
        'instructionEncoder.',
    );
  }
}

/**
 * embeds − scale · encoder(contents).
 *
 * @param embeds of images, [B, projectionDim]
 * @param contents a text for each of them; nothing is subtracted for an empty one
 */
export async function subtractContents(
  embeds: HostTensor,
  contents: readonly string[],
  encoder: TextEncoder,
  scale: number,
  options: RunOptions,
): Promise<HostTensor> {
  const texts = [...new Set(contents.filter(text => text !== ''))];
  if (texts.length === 0) return embeds;
  const textEmbeds = (await encoder.embed(texts, options)).data;
  const width = embeds.shape[1]!;
  const data = embeds.data.map((value, index) => {
    const text = texts.indexOf(contents[Math.floor(index / width)]!);
    return text < 0 ? value : value - scale * textEmbeds[text * width + (index % width)]!;
  });
  return {shape: embeds.shape, data};
}
