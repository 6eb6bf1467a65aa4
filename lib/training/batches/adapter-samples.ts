/**
 * Samples that an adapter is trained on: a target and a condition, a prompt and an instruction.
 */
import type {Bucket} from '../../datasets/buckets.ts';
import type {Dataset} from '../../datasets/dataset.ts';
import type {DatasetSample} from '../../datasets/dataset-sample.ts';
import type {ClipPreprocessConfig} from '../../images/clip-preprocess.ts';
import type {TorchGenerator} from '../../schedulers/torch-generator.ts';
import type {EncoderCaches} from './encoder-cache.ts';
import {latentSize} from './latent-size.ts';
import type {PictureTask, PreparedPicture, Unreadable} from './prepare-pictures.ts';
import {type ConditionDropout, chooseForSample, type SampleChoices} from './sample-choices.ts';
import {SampleStream, type SampleStreamOptions, type StreamState} from './sample-stream.ts';
import type {TimestepBias} from './timestep-bias.ts';

/** How pictures are prepared. */
export interface PictureSettings {
  /** Sizes of the targets, one at least, in multiples of 8: each covers the nearest one, and its centre is cut out. */
  readonly buckets: readonly Bucket[];
  /** Of the image encoder. */
  readonly preprocess: ClipPreprocessConfig;
  readonly caches?: EncoderCaches | undefined;
}

export interface PreparedPictures {
  /** Pixels: float32 [1, 3, H, W], from -1 to 1. */
  readonly target: PreparedPicture;
  /** Pixels: float32 [1, 3, cropSize, cropSize]. */
  readonly condition: PreparedPicture;
}

/** A sample as a step takes it. */
export interface PreparedSample extends PreparedPictures {
  readonly prompt: string;
  /** What a teacher is told of the target; without it there is none. */
  readonly teacherPrompt?: string | undefined;
  readonly choices: SampleChoices;
  /** Draws the posterior of the latents, then the noise. */
  readonly generator: TorchGenerator;
}

export interface AdapterSampleOptions extends SampleStreamOptions, PictureSettings {
  readonly dropout: ConditionDropout;
  readonly numTrainTimesteps: number;
  readonly timestepBias?: TimestepBias | undefined;
  /** Pixels a latent along one side. */
  readonly scaleFactor: number;
}

/** @throws ArgumentError for options that no stream can have, or a state of another training set */
export function adapterSamples(
  dataset: Dataset,
  options: AdapterSampleOptions,
  state?: StreamState | undefined,
): SampleStream<PreparedSample> {
  const {dropout, numTrainTimesteps, timestepBias, scaleFactor} = options;
  return new SampleStream(
    dataset,
    {
      async prepare({sample, generator}, pool) {
        const {prompt, objectName, task} = sample;
        const instructions = dataset.instructions.get(task) ?? [];
        const settings = {numTrainTimesteps, timestepBias, dropout, instructions, objectName};
        const choices = chooseForSample(generator, settings);
        const pictures = await prepareBoth(sample, options, one => pool.run(one));
        if ('reason' in pictures) return pictures;
        return {...pictures, prompt, ...teacherPromptOf(sample), choices, generator};
      },
      sizeOf: ({target}) => latentSize(target, scaleFactor),
    },
    options,
    state,
  );
}

/** Where condition and target are one picture, the prompt tells all of it. */
function teacherPromptOf({task, prompt, targetPrompt}: DatasetSample): Pick<PreparedSample, 'teacherPrompt'> {
  const teacherPrompt = targetPrompt ?? (task === 'replication' ? prompt : undefined);
  return teacherPrompt === undefined ? {} : {teacherPrompt};
}

/** Both pictures of a sample, or why one cannot be read. */
export async function prepareBoth(
  sample: Pick<DatasetSample, 'target' | 'condition'>,
  {buckets, preprocess, caches}: PictureSettings,
  prepare: (task: PictureTask) => Promise<PreparedPicture | Unreadable>,
): Promise<PreparedPictures | Unreadable> {
  const [target, condition] = await Promise.all([
    prepare({picture: sample.target, form: {buckets}, cache: caches?.target}),
    prepare({picture: sample.condition, form: {preprocess}, cache: caches?.condition}),
  ]);
  if ('reason' in target) return target;
  if ('reason' in condition) return condition;
  return {target, condition};
}
