/**
 * How much the words of an instruction matter against the noise (Rowles et al. 2024, fig. 8).
 */
import {clipImageSimilarity} from '../metrics/clip-scores.ts';
import {type BootstrapOptions, bootstrap, type Interval, mean} from './confidence.ts';

/** Embeddings of pictures of one condition and prompt: [wording][seed]. */
export type RewordedPictures = readonly (readonly Float32Array[])[];

/** Mean distances, 1 - cosine, between pictures of one condition. */
export interface RewordingDistances {
  /** Of pictures that differ in the instruction's words alone. */
  readonly wording: number;
  /** Of pictures that differ in the noise alone. */
  readonly noise: number;
}

/** @param pictures of two wordings and two seeds at least, as many seeds for each wording */
export function rewordingDistances(pictures: RewordedPictures): RewordingDistances {
  const bySeed = pictures[0]!.map((_, seed) => pictures.map(wording => wording[seed]!));
  return {
    wording: mean(bySeed.flatMap(pairDistances)),
    noise: mean(pictures.flatMap(pairDistances)),
  };
}

/** Below 1 where rewording changes pictures less than another noise does. */
export function rewordingRatio(
  distances: readonly RewordingDistances[],
  options: BootstrapOptions,
): Interval {
  const total = (items: readonly RewordingDistances[], name: keyof RewordingDistances) =>
    items.reduce((sum, item) => sum + item[name], 0);
  return bootstrap(distances, items => total(items, 'wording') / total(items, 'noise'), options);
}

function pairDistances(embeddings: readonly Float32Array[]): number[] {
  return embeddings.flatMap((a, i) => embeddings.slice(i + 1).map(b => 1 - clipImageSimilarity(a, b)));
}
