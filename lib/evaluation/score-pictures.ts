/**
 * Scores of generated pictures that models of images and texts give: CLIP's (Rowles et al. 2024, §4.1), and whose face they
 * show.
 */
import type {RunOptions} from '../engine/compiled-function.ts';
import type {FaceAnalyzer} from '../faces/face-analyzer.ts';
import type {RgbImage} from '../images/image.ts';
import {clipImageSimilarity, clipStyleSimilarity, clipTextSimilarity} from '../metrics/clip-scores.ts';
import type {SamplePictures} from '../training/watch/sample-pictures.ts';
import type {EvaluationClip} from './evaluation-clip.ts';
import type {Similarities} from './picture-record.ts';
import type {PictureRequest} from './picture-requests.ts';
import {scoreIdentity} from './score-identity.ts';

/** The models that score. */
export interface Scorers {
  readonly clip: EvaluationClip;
  readonly faces?: FaceAnalyzer | undefined;
}

/**
 * Of one batch; scores with texts need a text tower, and CLIP-T and CLIP-S the sample's `conditionPrompt`; identity is scored
 * for the task `face`.
 */
export async function scorePictures(
  {clip, faces}: Scorers,
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
    const identity =
      faces && sample.task === 'face'
        ? await scoreIdentity(faces, originals[i]!.condition, made[i]!, options)
        : undefined;
    scores.push({
      clipI: clipImageSimilarity(picture, condition),
      clipITarget: clipImageSimilarity(picture, targets[i]!),
      ...(prompt && {clipP: clipTextSimilarity(picture, prompt)}),
      ...(caption && {clipT: clipTextSimilarity(picture, caption)}),
      ...(prompt && caption && {clipS: clipStyleSimilarity({picture, prompt, condition, caption})}),
      ...(identity !== undefined && {identity}),
    });
  }
  return scores;
}
