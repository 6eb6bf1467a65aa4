/**
 * What an image encoder sees: the factors of drawn pictures that a linear probe tells from the tokens which adapters read. What
 * it cannot tell, an adapter of this encoder will hardly learn.
 */
import {openDataset} from '../../datasets/dataset.ts';
import {readDatasetImage} from '../../datasets/dataset-image.ts';
import {type FactorName, factorGroups} from '../../datasets/world/factor-groups.ts';
import {type FactorLabels, labelsOf} from '../../datasets/world/factor-labels.ts';
import {FileError, invalidArgument} from '../../errors.ts';
import {asItIs, type ImageEncoder} from '../../pipelines/components/image-encoder.ts';
import {gatherRows, type HostTensor, stackRows} from '../../pipelines/host-tensor.ts';
import {factorsOf, readSampleFactors} from '../sample-factors.ts';
import {linearProbe, type ProbeResult, standardized} from './linear-probe.ts';

export interface ProbedFactor {
  readonly name: FactorName;
  /** From the class token alone, whose projection is the image's embedding. */
  readonly classToken: ProbeResult;
  /** From all tokens before the last layer, as IP-Adapter+ reads them. */
  readonly allTokens: ProbeResult;
}

/** The rest is asked about. */
const fittedShare = 0.75;
const batchSize = 32;

/**
 * Probes an encoder with the targets of a drawn set: fitted to the first three quarters of them.
 *
 * @param folder a training set with `factors.jsonl`, as `ipai dataset world` draws it
 * @param count how many of its samples are read, from the first
 * @returns factors that both parts of the pictures show
 * @throws ArgumentError for a count below 8
 * @throws FileError where the set, its factors or a picture cannot be read, or it has fewer samples
 */
export async function probeImageEncoder(
  encoder: ImageEncoder,
  folder: string,
  count: number,
): Promise<ProbedFactor[]> {
  if (!Number.isInteger(count) || count < 8) throw invalidArgument('samples', 'an integer from 8', count);
  const {samples} = await openDataset(folder);
  if (samples.length < count) {
    throw new FileError(`${folder}: expected ${count} samples, got ${samples.length}. Ask for fewer.`);
  }
  const factors = await readSampleFactors(folder);
  const [labels, tokens]: [FactorLabels[], HostTensor[]] = [[], []];
  for (let begin = 0; begin < count; begin += batchSize) {
    const pixels: HostTensor[] = [];
    for (const sample of samples.slice(begin, Math.min(begin + batchSize, count))) {
      labels.push(labelsOf(factorsOf(sample, factors).target));
      pixels.push(await encoder.pixelValues(await readDatasetImage(sample.target), asItIs));
    }
    tokens.push(await encoder.encode(stackRows(pixels), 'penultimate'));
  }
  const known = Math.floor(count * fittedShare);
  const all = stackRows(tokens);
  const [ofClass, ofAll] = [classTokens(all), all].map(features => standardized(features, known));
  const probed: ProbedFactor[] = [];
  for (const {name} of factorGroups) {
    const ask = (features: HostTensor) =>
      linearProbe(
        encoder.engine,
        features,
        labels.map(label => label[name]),
        known,
      );
    const [classToken, allTokens] = [await ask(ofClass!), await ask(ofAll!)];
    if (classToken !== undefined && allTokens !== undefined) probed.push({name, classToken, allTokens});
  }
  return probed;
}

/** The first tokens, [B, channels], of [B, tokens, channels]. */
function classTokens({shape, data}: HostTensor): HostTensor {
  const [rows, count, channels] = shape as [number, number, number];
  const tokens = {shape: [rows * count, channels], data};
  return gatherRows(
    tokens,
    Array.from({length: rows}, (_, row) => row * count),
  );
}
