/**
 * What the held-out targets themselves score, brought through the model's autoencoder: no adapter of this model can be
 * expected to exceed it. Where factors are read, it also says how often the reader is right.
 */
import type {DatasetProblem, DatasetSample} from '../datasets/dataset-sample.ts';
import type {RunOptions} from '../engine/compiled-function.ts';
import type {RgbImage} from '../images/image.ts';
import {coverToTensor} from '../images/latent-image.ts';
import {tensorToImage} from '../images/tensor-to-image.ts';
import type {Autoencoder} from '../pipelines/components/autoencoder.ts';
import {readPictures} from '../training/watch/sample-pictures.ts';
import type {ScoredPicture} from './picture-record.ts';
import {type Scorers, scorePictures} from './score-pictures.ts';
import {type Truth, truthOf} from './truth.ts';

/** Stands in the tables where adapters have their labels. */
export const targetsLabel = 'targets';

export interface ScoreTargetsSetup {
  readonly vae: Autoencoder;
  readonly scorers: Scorers;
  readonly truth?: Truth | undefined;
}

/** Samples that cannot be read are left out. */
export async function scoreTargets(
  samples: ReadonlyMap<number, DatasetSample>,
  {vae, scorers, truth}: ScoreTargetsSetup,
  options: Pick<RunOptions, 'signal'>,
): Promise<ScoredPicture[]> {
  const scored: ScoredPicture[] = [];
  const problems = new Map<string, DatasetProblem>();
  for (const [index, sample] of samples) {
    const pictures = await readPictures(sample, problems);
    if (pictures === undefined) continue;
    const picture = await throughAutoencoder(vae, pictures.target, options);
    const [scores] = await scorePictures(scorers, [{sample}], [picture], [pictures], options);
    const found = truth && (await truthOf(truth, sample, picture, options));
    scored.push({
      adapter: targetsLabel,
      task: sample.task,
      sample: index,
      scores: scores!,
      ...(found && {truth: found}),
    });
  }
  return scored;
}

/** Sides are brought down to multiples of 8. */
async function throughAutoencoder(
  vae: Autoencoder,
  image: RgbImage,
  options: Pick<RunOptions, 'signal'>,
): Promise<RgbImage> {
  const [width, height] = [image.width, image.height].map(side => Math.max(8, side - (side % 8)));
  const pixels = {shape: [1, 3, height!, width!], data: await coverToTensor(image, width!, height!)};
  const {mean} = await vae.encode(pixels, options);
  return tensorToImage((await vae.decode(mean, options)).data, width!, height!);
}
