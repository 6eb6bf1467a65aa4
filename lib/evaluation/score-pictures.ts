/**
 * CLIP scores of generated pictures (Rowles et al. 2024, §4.1).
 */
import type {RunOptions} from '../engine/compiled-function.ts';
import type {RgbImage} from '../images/image.ts';
import {clipImageSimilarity, clipStyleSimilarity, clipTextSimilarity} from '../metrics/clip-scores.ts';
import type {SamplePictures} from '../training/watch/sample-pictures.ts';
import type {EvaluationClip} from './evaluation-clip.ts';
import type {Similarities} from './picture-record.ts';
import type {PictureRequest} from './picture-requests.ts';

/** Of one batch; scores with texts need a text tower, and CLIP-T and CLIP-S the sample's `conditionPrompt`. */
export async function scorePictures(
  clip: EvaluationClip,
  requests: readonly Pick<PictureRequest, 'sample'>[],
  made: readonly RgbImage[],
  originals: readonly SamplePictures[],
  options: Pick<RunOptions, 'signal'>,
): Promise<Similarities[]> {
  const embed = (images: readonly RgbImage[]) => clip.embedImages(images, options);
  const pictures = await embed(made);
  const conditions = await embed(originals.map(({condition}) => condition));
  const targets = await embed(originals.map(({target}) => target));
  const scores: Similarities[] = [];
  for (const [i, {sample}] of requests.entries()) {
    const [picture, condition] = [pictures[i]!, conditions[i]!];
    const prompt = await clip.embedText(sample.prompt, options);
    const caption =
      sample.conditionPrompt === undefined
        ? undefined
        : await clip.embedText(sample.conditionPrompt, options);
    scores.push({
      clipI: clipImageSimilarity(picture, condition),
      clipITarget: clipImageSimilarity(picture, targets[i]!),
      ...(prompt && {clipP: clipTextSimilarity(picture, prompt)}),
      ...(caption && {clipT: clipTextSimilarity(picture, caption)}),
      ...(prompt && caption && {clipS: clipStyleSimilarity({picture, prompt, condition, caption})}),
    });
  }
  return scores;
}
