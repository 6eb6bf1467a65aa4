/**
 * The effect of rewording, of pictures in their files.
 */
import type {RunOptions} from '../engine/compiled-function.ts';
import {decodeImage} from '../images/decode-image.ts';
import {type BootstrapOptions, mean} from './confidence.ts';
import type {RewordingEffect} from './evaluation.ts';
import type {EvaluationClip} from './evaluation-clip.ts';
import type {RewordingGrid, RewordingOptions} from './picture-requests.ts';
import {picturePath} from './result-log.ts';
import {type RewordingDistances, rewordingDistances, rewordingRatio} from './rewording.ts';

export interface RewordingSetup extends RewordingOptions {
  readonly folder: string;
  readonly clip: EvaluationClip;
  readonly bootstrap: BootstrapOptions;
}

/**
 * Of each adapter.
 *
 * @param grids those whose pictures there are
 */
export async function measureRewording(
  grids: readonly RewordingGrid[],
  {folder, clip, bootstrap, ...counts}: RewordingSetup,
  options: Pick<RunOptions, 'signal'>,
): Promise<RewordingEffect[]> {
  const labelOf = (grid: RewordingGrid) => grid[0]![0]!.adapter.label;
  const effects: RewordingEffect[] = [];
  for (const adapter of new Set(grids.map(labelOf))) {
    const distances: RewordingDistances[] = [];
    for (const grid of grids.filter(candidate => labelOf(candidate) === adapter)) {
      const embeddings: Float32Array[][] = [];
      for (const wording of grid) {
        const pictures = await Promise.all(wording.map(({id}) => decodeImage(picturePath(folder, id))));
        embeddings.push(await clip.embedImages(pictures, options));
      }
      distances.push(rewordingDistances(embeddings));
    }
    effects.push({
      adapter,
      ...counts,
      conditions: distances.length,
      wordingDistance: mean(distances.map(({wording}) => wording)),
      noiseDistance: mean(distances.map(({noise}) => noise)),
      ratio: rewordingRatio(distances, bootstrap),
    });
  }
  return effects;
}
