/**
 * The loss over a held-out set, with draws that never change, so that values of different steps can be compared.
 */
import type {Dataset} from '../../datasets/dataset.ts';
import type {DatasetProblem, DatasetSample} from '../../datasets/dataset-sample.ts';
import type {CompiledFunction, RunOptions} from '../../engine/compiled-function.ts';
import type {Tensor} from '../../graph/tensor.ts';
import type {HostTensor} from '../../pipelines/host-tensor.ts';
import type {PipelineModels} from '../../pipelines/pipeline-models.ts';
import {TorchGenerator} from '../../schedulers/torch-generator.ts';
import {
  type AdapterBatch,
  type AdapterErrorsInputs,
  adapterErrors,
  type TrainedModel,
} from '../adapter-loss.ts';
import {type PictureSettings, type PreparedSample, prepareBoth} from '../batches/adapter-samples.ts';
import {type EncodeOptions, encodeBatch} from '../batches/encode-batch.ts';
import {latentSize} from '../batches/latent-size.ts';
import {preparePicture} from '../batches/prepare-pictures.ts';
import {nameObject, type SampleChoices} from '../batches/sample-choices.ts';
import {withBatchOn} from '../device-batch.ts';
import {type DeviceTensors, disposeAll, uploadAll} from '../device-tensors.ts';
import {nothingReadable} from './sample-pictures.ts';
import {mean, meanByTask, type TaskValue} from './task-means.ts';
import {samplesByTask} from './validation-set.ts';

export interface ValidationDraw {
  readonly sample: DatasetSample;
  readonly choices: SampleChoices;
  /** Of the posterior of the latents and of the noise. */
  readonly seed: number;
}

export interface DrawOptions {
  /** Draws of each task: its first samples, over and over where it has fewer. */
  readonly drawsPerTask: number;
  readonly numTrainTimesteps: number;
  readonly seed: number;
}

/**
 * Draws without chance: each task's timesteps lie evenly over the whole range, its instructions take turns, and nothing
 * is dropped.
 *
 * @param dataset of `validationSetOf`
 */
export function validationDraws(dataset: Dataset, options: DrawOptions): ValidationDraw[] {
  const {drawsPerTask, numTrainTimesteps, seed} = options;
  return [...samplesByTask(dataset)].flatMap(([task, samples]) => {
    const instructions = dataset.instructions.get(task)!;
    return Array.from({length: drawsPerTask}, (_, i) => {
      const sample = samples[i % samples.length]!;
      const choices = {
        timestep: Math.floor(((i + 0.5) * numTrainTimesteps) / drawsPerTask),
        instruction: nameObject(instructions[i % instructions.length]!, sample.objectName),
        keepsText: true,
        keepsImage: true,
      };
      return {sample, choices, seed: seed + i};
    });
  });
}

export interface ValidationLoss {
  /** Mean of the tasks' losses. */
  readonly loss: number;
  /** Mean squared error of each task's draws, not weighted by timestep. */
  readonly perTask: Readonly<Record<string, number>>;
  /** Samples that could not be read; their draws are left out. */
  readonly problems: readonly DatasetProblem[];
}

export interface ValidationSetup {
  readonly models: PipelineModels;
  readonly trained: TrainedModel;
  readonly draws: readonly ValidationDraw[];
  readonly batchSize: number;
  readonly pictures: PictureSettings;
  readonly encoding: EncodeOptions;
}

export class Validation {
  readonly #setup: ValidationSetup;
  readonly #errors: CompiledFunction<AdapterErrorsInputs, Tensor>;

  constructor(setup: ValidationSetup) {
    const {models, trained} = setup;
    this.#setup = setup;
    this.#errors = models.engine.compile('validate', (inputs: AdapterErrorsInputs) =>
      adapterErrors(trained, inputs),
    );
  }

  /**
   * The loss of an adapter with these weights.
   *
   * @throws FileError where no sample can be read; the signal's reason on abort
   */
  async run(weights: ReadonlyMap<string, HostTensor>, options: RunOptions = {}): Promise<ValidationLoss> {
    const {models, draws, batchSize} = this.#setup;
    const values: TaskValue[] = [];
    const problems = new Map<string, DatasetProblem>();
    const uploaded = uploadAll(models.engine.device, weights);
    try {
      for (let first = 0; first < draws.length; first += batchSize) {
        const prepared = await this.#prepare(draws.slice(first, first + batchSize), problems);
        for (const batch of bySize(prepared, models.vae.scaleFactor)) {
          const errors = await this.#errorsOf(uploaded, batch, options);
          values.push(...batch.map(({task}, i) => ({task, value: errors[i]!})));
        }
      }
    } finally {
      disposeAll(uploaded);
    }
    if (values.length === 0) throw nothingReadable(problems);
    const perTask = meanByTask(values);
    return {loss: mean(Object.values(perTask)), perTask, problems: [...problems.values()]};
  }

  /** Draws with their pictures; those that cannot be read become problems. */
  async #prepare(
    draws: readonly ValidationDraw[],
    problems: Map<string, DatasetProblem>,
  ): Promise<PreparedDraw[]> {
    const prepared: PreparedDraw[] = [];
    for (const {sample, choices, seed} of draws) {
      const {prompt, task, place, target, condition} = sample;
      const pictures = await prepareBoth({target, condition}, this.#setup.pictures, preparePicture);
      if ('reason' in pictures) problems.set(place, {place, reason: pictures.reason});
      else prepared.push({task, prompt, ...pictures, choices, generator: new TorchGenerator(seed)});
    }
    return prepared;
  }

  async #errorsOf(
    weights: DeviceTensors,
    samples: readonly PreparedSample[],
    options: RunOptions,
  ): Promise<Float32Array> {
    const {models, encoding} = this.#setup;
    const encoded = await encodeBatch(models, samples, {...encoding, ...options});
    return withBatchOn<AdapterBatch, Float32Array>(models.engine.device, encoded, async batch => {
      const errors = await this.#errors.run({weights, batch}, options);
      try {
        return await errors.toFloat32Array();
      } finally {
        errors.dispose();
      }
    });
  }
}

interface PreparedDraw extends PreparedSample {
  readonly task: string;
}

/** Samples whose targets have one size. */
function bySize(samples: readonly PreparedDraw[], scaleFactor: number): PreparedDraw[][] {
  const sizeOf = ({target}: PreparedDraw) => latentSize(target, scaleFactor);
  return [...new Set(samples.map(sizeOf))].map(size => samples.filter(sample => sizeOf(sample) === size));
}
