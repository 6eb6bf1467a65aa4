/**
 * Trains a model: draws batches, accumulates gradients, steps, saves, and goes on where it stopped with equal bits. An
 * adapter on a frozen base model (Rowles et al. 2024, §3.4 and §3.5), or whatever an objective describes.
 */
import {mkdir} from 'node:fs/promises';
import type {CompiledFunction} from '../engine/compiled-function.ts';
import {NumericError} from '../errors.ts';
import type {Tensor} from '../graph/tensor.ts';
import type {HostTensor} from '../pipelines/host-tensor.ts';
import {type Communicator, singleProcess} from '../runtime/communicator.ts';
import {AdamW} from './adamw.ts';
import {loadNewestCheckpoint, saveCheckpoint} from './checkpoint.ts';
import type {HostBatch} from './device-batch.ts';
import {disposeAll, disposeReplaced} from './device-tensors.ts';
import {
  compileGradientStep,
  type Differentiated,
  differentiate,
  type GradientStep,
  type Gradients,
  hasFiniteResult,
  scalar,
} from './differentiate.ts';
import {ExponentialMovingAverage} from './ema.ts';
import {learningRateAt} from './learning-rate.ts';
import {LossScale, type LossScaleState} from './loss-scale.ts';
import type {Batches, Objective} from './objective.ts';
import {adapterObjective} from './objectives/adapter.ts';
import {checkEqualStart, checkShares} from './ranks.ts';
import {type GradientsWithNorm, squaredNormOf, sumGradients} from './state-gradients.ts';
import type {NamedTensors} from './trainable-weights.ts';
import {
  type LoopSettings,
  resolveTrainerOptions,
  type TrainerOptions,
  type TrainingEvent,
  type TrainingResult,
  type TrainOptions,
} from './trainer-options.ts';
import {TrainingLog} from './watch/training-log.ts';
import type {TrainingWatch} from './watch/training-watch.ts';

/** A run of any objective: its loop, and where it leaves what it makes. */
export interface TrainingRun extends LoopSettings {
  /**
   * Where checkpoints, `metrics.jsonl`, `tensorboard` and `samples` go; training goes on from the newest checkpoint in it.
   */
  readonly folder: string;
  /**
   * The processes that train together, each with its rows of every batch: they take the steps that one process would, to
   * rounding. Rank 0 writes. Default: this process alone.
   */
  readonly communicator?: Communicator | undefined;
}

/**
 * Takes the steps of a run and leaves checkpoints; goes on from the newest one in its folder. `create` trains an adapter,
 * `begin` any objective.
 *
 * @typeParam Batch of the objective; an adapter's where it is left out
 */
export class Trainer<Batch = unknown> {
  readonly #objective: Objective<Batch>;
  readonly #run: TrainingRun;
  readonly #step: GradientStep<Batch>;
  readonly #sum: CompiledFunction<Readonly<Record<'a' | 'b', NamedTensors>>, GradientsWithNorm>;
  readonly #squaredNorm: CompiledFunction<NamedTensors, Tensor>;
  readonly #optimizer: AdamW;
  readonly #ema: ExponentialMovingAverage | undefined;
  readonly #batches: Batches<Batch>;
  readonly #communicator: Communicator;
  /** Of rank 0. */
  readonly #log: TrainingLog | undefined;
  readonly #watch: TrainingWatch | undefined;
  /** Where gradients are computed in float16. */
  readonly #lossScale: LossScale | undefined;
  #taken: number;
  /** Step of the newest checkpoint. */
  #saved: number;
  /** The last batch whose loss or gradients were not finite. */
  #notFinite: HostBatch<Batch> | undefined;

  private constructor(objective: Objective<Batch>, run: TrainingRun, start: Start<Batch>) {
    const {engine, dtype} = objective;
    this.#objective = objective;
    this.#run = run;
    this.#optimizer = start.optimizer;
    this.#ema = start.ema;
    this.#batches = start.batches;
    this.#communicator = run.communicator ?? singleProcess;
    this.#taken = start.step;
    this.#saved = start.step;
    this.#lossScale = dtype === 'float16' ? new LossScale(start.lossScale) : undefined;
    this.#step = compileGradientStep(objective, run);
    this.#log = start.log;
    this.#watch = start.log && objective.createWatch?.(start.log);
    this.#sum = engine.compile('train.sum', sumGradients, {donates: ['a']});
    this.#squaredNorm = engine.compile('train.norm', squaredNormOf);
  }

  /**
   * Begins to train an adapter, or goes on from the newest checkpoint in the folder.
   *
   * @throws FileError where that checkpoint is damaged, ArgumentError for options that no run can have
   */
  static async create(given: TrainerOptions): Promise<Trainer> {
    const options = resolveTrainerOptions(given);
    const objective = await adapterObjective(options);
    return (await Trainer.begin(objective, options)) as Trainer<unknown>;
  }

  /**
   * The same for any objective.
   *
   * @throws FileError where the newest checkpoint is damaged, or ranks do not see the same one; ArgumentError where ranks
   *   cannot share its batches out
   */
  static async begin<Batch>(objective: Objective<Batch>, run: TrainingRun): Promise<Trainer<Batch>> {
    const {engine, initial, files} = objective;
    const {folder, ema, batchSize, communicator = singleProcess} = run;
    checkShares(objective, batchSize, communicator);
    const writes = communicator.rank === 0;
    if (writes) await mkdir(folder, {recursive: true});
    const saved = await loadNewestCheckpoint(folder, files);
    const step = saved?.progress.step ?? 0;
    await checkEqualStart(step, folder, communicator);
    const optimizer =
      saved === undefined
        ? AdamW.begin(engine, initial, run.optimizer)
        : AdamW.resume(engine, saved.state, saved.progress.optimizerSteps, run.optimizer);
    const average =
      ema &&
      new ExponentialMovingAverage(
        engine,
        saved?.averages ?? (await optimizer.weights()),
        ema,
        saved?.progress.emaUpdates,
      );
    return new Trainer(objective, run, {
      step,
      lossScale: saved?.progress.lossScale,
      log: writes ? await TrainingLog.open(folder, step) : undefined,
      batches: objective.openBatches(saved?.progress.sampler, communicator),
      optimizer,
      ema: average,
    });
  }

  /**
   * Takes steps until all are taken or the signal is given, and saves.
   *
   * @throws NumericError after too many steps in a row without a finite loss, FileError where too many samples cannot be
   *   read
   */
  async train(options: TrainOptions = {}): Promise<TrainingResult> {
    try {
      return await this.#takeSteps(options);
    } finally {
      await this.#batches.stop();
    }
  }

  async #takeSteps({signal, onStep, onWatch}: TrainOptions): Promise<TrainingResult> {
    const {steps, checkpointEvery, maxSkippedSteps} = this.#run;
    let skipped = 0;
    while (this.#taken < steps && !(await this.#isToldToEnd(signal))) {
      const event = await this.#takeStep();
      skipped = event.isSkipped ? skipped + 1 : 0;
      await this.#log?.record({kind: 'step', ...event});
      onStep?.(event);
      if (skipped >= maxSkippedSteps) {
        throw new NumericError(
          `step ${event.step}: ${skipped} steps in a row had a loss of ${event.loss} or gradients that are not finite. ` +
            `${await this.#findNan()} Lower the learning rate, or train in float32.`,
        );
      }
      const isLast = this.#taken === steps;
      if (isLast || this.#taken % checkpointEvery === 0) await this.#save();
      const weights = () => this.#ema?.weights() ?? this.weights();
      await this.#watch?.afterStep({step: this.#taken, isLast, weights, signal, onWatch});
    }
    await this.#save();
    return {step: this.#taken, isFinished: this.#taken >= steps, problems: this.#batches.problems};
  }

  /** Whether any rank is: all end at one step. */
  async #isToldToEnd(signal: AbortSignal | undefined): Promise<boolean> {
    const [told] = await this.#communicator.sum([signal?.aborted ? 1 : 0]);
    return told! > 0;
  }

  /** The weights as they are now, by their names. */
  weights(): Promise<Map<string, HostTensor>> {
    return this.#optimizer.weights();
  }

  /** Frees the optimiser's state and the moving average. The models belong to whoever gave them. */
  dispose(): void {
    this.#optimizer.dispose();
    this.#ema?.dispose();
  }

  async #takeStep(): Promise<TrainingEvent> {
    const {steps, batchSize, accumulate, learningRate, schedule, warmupSteps, maxGradientNorm} = this.#run;
    const begin = performance.now();
    const rate = learningRateAt(this.#taken, {learningRate, schedule, warmupSteps, totalSteps: steps});
    const next = (batch: number) => this.#batches.next(batch === accumulate && this.#taken + 1 === steps);
    let {loss: sumOfLosses, gradients, squaredNorm} = await this.#differentiate(await next(1));
    for (let batch = 2; batch <= accumulate; batch++) {
      const {loss: other, gradients: more} = await this.#differentiate(await next(batch));
      sumOfLosses += other;
      ({gradients, squaredNorm} = await this.#add(gradients, more));
    }
    const {size} = this.#communicator;
    if (size > 1)
      ({loss: sumOfLosses, squaredNorm} = await this.#sumOverRanks({loss: sumOfLosses, gradients}));
    const parts = accumulate * size;
    const loss = sumOfLosses / parts;
    const lossScale = this.#lossScale?.state.value ?? 1;
    const gradientNorm = Math.sqrt(squaredNorm) / parts / lossScale;
    const isSkipped = !hasFiniteResult({loss, squaredNorm});
    this.#lossScale?.update(!isSkipped);
    if (!isSkipped) {
      const clipping = maxGradientNorm === undefined ? 1 : Math.min(1, maxGradientNorm / gradientNorm);
      await this.#optimizer.step(gradients, {learningRate: rate, factor: clipping / parts / lossScale});
      await this.#ema?.update(this.#optimizer.state);
    }
    disposeAll(gradients);
    this.#taken++;
    const seconds = (performance.now() - begin) / 1000;
    return {
      step: this.#taken,
      totalSteps: steps,
      loss,
      gradientNorm,
      learningRate: rate,
      isSkipped,
      samplesPerSecond: (batchSize * accumulate) / seconds,
    };
  }

  async #differentiate(batch: HostBatch<Batch>): Promise<Differentiated> {
    const {device} = this.#objective.engine;
    const lossScale = this.#lossScale?.state.value;
    const result = await differentiate(this.#step, device, this.#optimizer.state, batch, {lossScale});
    if (!hasFiniteResult(result)) this.#notFinite = batch;
    return result;
  }

  /** A sentence that names the op which gave the first NaN of the last batch without a finite result. */
  async #findNan(): Promise<string> {
    const {device} = this.#objective.engine;
    const tooLarge = 'No value is NaN, so that some are too large for their sum.';
    if (this.#notFinite === undefined) {
      return this.#communicator.size === 1 ? tooLarge : "They were another rank's.";
    }
    const lossScale = this.#lossScale?.state.value;
    const options = {checkNan: true, lossScale};
    try {
      await differentiate(this.#step, device, this.#optimizer.state, this.#notFinite, options);
      return tooLarge;
    } catch (error) {
      if (error instanceof NumericError) return error.message;
      throw error;
    }
  }

  /** Replaces the gradients by their sums. What is decided by is rank 0's, so that no rounding parts the ranks. */
  async #sumOverRanks({
    loss,
    gradients,
  }: Pick<Differentiated, 'loss' | 'gradients'>): Promise<Pick<Differentiated, 'loss' | 'squaredNorm'>> {
    await this.#communicator.sumTensors(Object.values(gradients));
    const ownNorm = await scalar(await this.#squaredNorm.run(gradients));
    const [sumOfLosses, squaredNorm] = await this.#communicator.sum([
      loss,
      this.#communicator.rank === 0 ? ownNorm : 0,
    ]);
    return {loss: sumOfLosses!, squaredNorm: squaredNorm!};
  }

  async #add(a: Gradients, b: Gradients): Promise<{squaredNorm: number; gradients: Gradients}> {
    const {squaredNorm, gradients} = await this.#sum.run({a, b});
    disposeReplaced(a, gradients);
    disposeAll(b);
    return {squaredNorm: await scalar(squaredNorm), gradients};
  }

  async #save(): Promise<void> {
    if (this.#log === undefined || this.#taken === this.#saved) return;
    const {folder, keepCheckpoints} = this.#run;
    const {draws, taken, waiting} = this.#batches.state;
    const progress = {
      step: this.#taken,
      optimizerSteps: this.#optimizer.steps,
      emaUpdates: this.#ema?.updates,
      lossScale: this.#lossScale?.state,
      sampler: {draws, taken: {...taken}, waiting: [...waiting]},
    };
    const [state, averages] = [await this.#optimizer.saved(), await this.#ema?.weights()];
    await saveCheckpoint(folder, this.#objective.files, {progress, state, averages}, keepCheckpoints);
    this.#saved = this.#taken;
  }
}

interface Start<Batch> {
  readonly step: number;
  readonly lossScale: LossScaleState | undefined;
  readonly log: TrainingLog | undefined;
  readonly batches: Batches<Batch>;
  readonly optimizer: AdamW;
  readonly ema: ExponentialMovingAverage | undefined;
}
