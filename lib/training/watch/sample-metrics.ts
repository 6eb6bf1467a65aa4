/**
 * CLIP metrics of generated samples, by the encoders that the adapter is trained with.
 */
import type {RunOptions} from '../../engine/compiled-function.ts';
import type {RgbImage} from '../../images/image.ts';
import {clipImageSimilarity, clipScore, clipStyleScore} from '../../metrics/clip-scores.ts';
import type {TextEncoder} from '../../pipelines/components/text-encoder.ts';
import type {AdapterModels} from '../../pipelines/conditioning.ts';
import {meanByTask, type TaskValue} from './task-means.ts';
import type {SampleRow} from './validation-samples.ts';

/**
 * CLIP-I with the condition image, and with the target; CLIP-P with the prompt; CLIP-T with the caption of the condition
 * image; CLIP-S (`lib/metrics/clip-scores.ts`).
 */
export const clipMetricNames = ['clipI', 'clipITarget', 'clipP', 'clipT', 'clipS'] as const;
export type ClipMetricName = (typeof clipMetricNames)[number];

export interface ClipMetrics {
  /** Mean over the pictures of each task. */
  readonly metrics: Readonly<Partial<Record<ClipMetricName, Readonly<Record<string, number>>>>>;
  /** Why metrics are missing. */
  readonly leftOut: Readonly<Partial<Record<ClipMetricName, string>>>;
}

const withoutTower =
  "the text tower of the image encoder's CLIP model is not loaded; an adapter of the kind 'instruct-paper' has it as " +
  'instructionEncoder';
const withoutCaptions = 'no sample of the grid has a conditionPrompt';

export async function clipMetrics(
  adapter: AdapterModels,
  rows: readonly SampleRow[],
  options: Pick<RunOptions, 'signal'> = {},
): Promise<ClipMetrics> {
  const {imageEncoder} = adapter;
  const tower = textTowerOf(adapter);
  const embedImage = async (image: RgbImage) =>
    (await imageEncoder.encode(await imageEncoder.pixelValues(image), 'embeds', options)).data;
  const embedText = async (text: string | undefined) =>
    tower && text !== undefined ? (await tower.embed([text], options)).data : undefined;
  const values: Record<ClipMetricName, TaskValue[]> = {
    clipI: [],
    clipITarget: [],
    clipP: [],
    clipT: [],
    clipS: [],
  };
  for (const {sample, results, ...images} of rows) {
    const {task} = sample;
    const condition = await embedImage(images.condition);
    const target = await embedImage(images.target);
    const prompt = await embedText(sample.prompt);
    const caption = await embedText(sample.conditionPrompt);
    for (const result of results) {
      const picture = await embedImage(result.picture);
      values.clipI.push({task, value: clipImageSimilarity(picture, condition)});
      values.clipITarget.push({task, value: clipImageSimilarity(picture, target)});
      if (prompt) values.clipP.push({task, value: clipScore(picture, prompt)});
      if (caption) values.clipT.push({task, value: clipScore(picture, caption)});
      if (prompt && caption) {
        values.clipS.push({task, value: clipStyleScore({picture, prompt, condition, caption})});
      }
    }
  }
  const present = clipMetricNames.filter(name => values[name].length > 0);
  const missing = clipMetricNames.filter(name => !present.includes(name));
  const reason = tower === undefined ? withoutTower : withoutCaptions;
  return {
    metrics: Object.fromEntries(present.map(name => [name, meanByTask(values[name])])),
    leftOut: Object.fromEntries(missing.map(name => [name, reason])),
  };
}

/**
 * The text tower of the image encoder's CLIP model: where the adapter reads pooled embeddings, the instruction encoder.
 * Another tower's embeddings lie in another space, even where they are of one size.
 */
function textTowerOf({instructionEncoder, imageEncoder}: AdapterModels): TextEncoder | undefined {
  const {encoder, form} = instructionEncoder;
  const isOfOneSpace =
    form === 'pooled' && encoder.config.projectionDim === imageEncoder.config.projectionDim;
  return isOfOneSpace ? encoder : undefined;
}
