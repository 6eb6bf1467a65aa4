/**
 * Pictures that an adapter in training makes of a held-out set: the same conditions, prompts, instructions and noise at
 * every step.
 */
import {type Bucket, nearestBucket} from '../../datasets/buckets.ts';
import type {Dataset} from '../../datasets/dataset.ts';
import type {DatasetProblem, DatasetSample} from '../../datasets/dataset-sample.ts';
import type {RunOptions} from '../../engine/compiled-function.ts';
import {Engine} from '../../engine/engine.ts';
import {HostWeights} from '../../engine/host-weights.ts';
import type {RgbImage} from '../../images/image.ts';
import {ImageAdapter} from '../../pipelines/components/image-adapter.ts';
import type {ComputeDType} from '../../pipelines/compute-dtype.ts';
import type {AdapterModels} from '../../pipelines/conditioning.ts';
import {generate} from '../../pipelines/generate.ts';
import type {HostTensor} from '../../pipelines/host-tensor.ts';
import type {PipelineModels} from '../../pipelines/pipeline-models.ts';
import {nameObject} from '../batches/sample-choices.ts';
import {nothingReadable, readPictures, type SamplePictures} from './sample-pictures.ts';
import {samplesByTask} from './validation-set.ts';

export interface SampleRequest {
  readonly sample: DatasetSample;
  /** A picture is made for each, from the same noise. */
  readonly instructions: readonly string[];
  readonly seed: number;
}

export interface SampleRequestOptions {
  readonly samplesPerTask: number;
  readonly instructionsPerSample: number;
  readonly seed: number;
}

/**
 * The first samples of each task, with the task's instructions in turn.
 *
 * @param dataset of `validationSetOf`
 */
export function sampleRequests(dataset: Dataset, options: SampleRequestOptions): SampleRequest[] {
  const {samplesPerTask, instructionsPerSample, seed} = options;
  return [...samplesByTask(dataset)].flatMap(([task, samples]) => {
    const pool = dataset.instructions.get(task)!;
    const count = Math.min(instructionsPerSample, pool.length);
    return samples.slice(0, samplesPerTask).map((sample, i) => {
      const instructions = Array.from({length: count}, (_, k) =>
        nameObject(pool[(i * count + k) % pool.length]!, sample.objectName),
      );
      return {sample, instructions, seed: seed + i};
    });
  });
}

/** A sample, and what was made for each of its instructions. */
export interface SampleRow extends SamplePictures {
  readonly sample: DatasetSample;
  readonly results: readonly {readonly instruction: string; readonly picture: RgbImage}[];
}

export interface GenerateSamplesSetup {
  readonly models: PipelineModels & {readonly adapter: AdapterModels};
  readonly requests: readonly SampleRequest[];
  readonly dtype: ComputeDType;
  /** Sizes of the pictures, as in training. */
  readonly buckets: readonly Bucket[];
  readonly numInferenceSteps: number;
}

export interface GeneratedSamples {
  readonly rows: readonly SampleRow[];
  /** Samples that could not be read; they have no row. */
  readonly problems: readonly DatasetProblem[];
}

/**
 * Generates with an adapter of these weights, as a pipeline with its defaults would.
 *
 * @throws FileError where no sample can be read; NumericError where a prediction is not finite; the signal's reason on abort
 */
export async function generateSamples(
  {models, requests, dtype, buckets, numInferenceSteps}: GenerateSamplesSetup,
  weights: ReadonlyMap<string, HostTensor>,
  {signal}: Pick<RunOptions, 'signal'> = {},
): Promise<GeneratedSamples> {
  const {description, layers, readsInstruction} = models.adapter.adapter;
  // An engine of its own: what it prepares of these weights goes with it.
  const engine = new Engine(models.engine.device);
  const adapter = new ImageAdapter({engine, dtype}, new HostWeights('adapter', weights), description, layers);
  const trained = {...models, adapter: {...models.adapter, adapter}};
  const problems = new Map<string, DatasetProblem>();
  const rows: SampleRow[] = [];
  try {
    for (const {sample, instructions, seed} of requests) {
      const pictures = await readPictures(sample, problems);
      if (pictures === undefined) continue;
      const [width, height] = nearestBucket(buckets, pictures.target);
      const results: SampleRow['results'][number][] = [];
      // One at a time: training holds much of the memory.
      for (const instruction of instructions) {
        const {images} = await generate(trained, {
          prompt: sample.prompt,
          ...(readsInstruction && {instruction}),
          ipAdapterImage: {...pictures.condition, channels: 3},
          width,
          height,
          numInferenceSteps,
          seed,
          ...(signal !== undefined && {signal}),
          // Training cuts prompts as well, and says nothing.
          onWarning: () => undefined,
        });
        results.push({instruction, picture: images[0]!.image!});
      }
      rows.push({sample, ...pictures, results});
    }
  } finally {
    await engine.dispose();
  }
  if (rows.length === 0) throw nothingReadable(problems);
  return {rows, problems: [...problems.values()]};
}
