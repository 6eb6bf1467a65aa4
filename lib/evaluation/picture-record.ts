/**
 * What is kept of a picture that was made and scored: a line of `results.jsonl`.
 */
import {z} from 'zod';
import {weightedScore} from '../metrics/clip-scores.ts';
import {factorScoreNames} from './factor-scorer.ts';
import {shareOf} from './outcomes.ts';

/**
 * Cosines: CLIP-I with the condition, and with the target; CLIP-P with the prompt; CLIP-T with the caption of the condition;
 * CLIP-S (`lib/metrics/clip-scores.ts`).
 */
export const clipNames = ['clipI', 'clipITarget', 'clipT', 'clipP', 'clipS'] as const;
/** Cosines: CLIP's, and that of faces (`score-identity.ts`). */
export const similarityNames = [...clipNames, 'identity'] as const;
export type SimilarityName = (typeof similarityNames)[number];

/** The same as CLIPScore gives them. */
const weightedNames = {clipT: 'clipTScore', clipP: 'clipPScore', clipS: 'clipSScore'} as const;

export const metricNames = [
  ...similarityNames,
  ...Object.values(weightedNames),
  ...factorScoreNames,
] as const;
export type MetricName = (typeof metricNames)[number];
export type Metrics<T> = Readonly<Partial<Record<MetricName, T>>>;

const outcomes = z.record(z.string(), z.boolean());

export const pictureRecord = z.object({
  id: z.string(),
  /** Hash of all that the picture and its scores depend on. */
  settings: z.string(),
  adapter: z.string(),
  step: z.int().nonnegative().optional(),
  task: z.string(),
  sample: z.int().nonnegative(),
  prompt: z.string(),
  instruction: z.string(),
  seed: z.int().nonnegative(),
  scores: z.partialRecord(z.enum(similarityNames), z.number()),
  truth: z.object({taken: outcomes, leaked: outcomes, followed: outcomes}).optional(),
});

export type PictureRecord = z.infer<typeof pictureRecord>;
/** What tables are made of. */
export type ScoredPicture = Pick<PictureRecord, 'adapter' | 'step' | 'task' | 'sample' | 'scores' | 'truth'>;
export type Similarities = PictureRecord['scores'];

/** All that was measured of a picture; taken, leaked and followed as shares of the factors that were asked about. */
export function metricsOf({scores, truth}: Pick<PictureRecord, 'scores' | 'truth'>): Metrics<number> {
  const metrics: Partial<Record<MetricName, number>> = {...scores};
  for (const [name, weightedName] of Object.entries(weightedNames)) {
    const similarity = scores[name as keyof typeof weightedNames];
    if (similarity !== undefined) metrics[weightedName] = weightedScore(similarity);
  }
  for (const name of factorScoreNames) {
    const share = truth && shareOf(truth[name]);
    if (share !== undefined) metrics[name] = share;
  }
  return metrics;
}
