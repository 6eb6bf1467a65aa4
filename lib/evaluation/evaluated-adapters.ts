/**
 * The adapters that are compared: one base model and its encoders, and as many adapters as there are, each with an engine
 * of its own, so that prepared weights of one are never taken for another's.
 */
import {dirname, join} from 'node:path';
import {Engine} from '../engine/engine.ts';
import {ArgumentError} from '../errors.ts';
import {computeDType} from '../pipelines/compute-dtype.ts';
import type {AdapterModels} from '../pipelines/conditioning.ts';
import {joinAdapter, loadAdapterEncoders, loadImageAdapter} from '../pipelines/load-adapter.ts';
import {loadModels} from '../pipelines/load-models.ts';
import {keepOptions, type LoadOptions} from '../pipelines/load-options.ts';
import type {PipelineModels} from '../pipelines/pipeline-models.ts';
import {checkpointStep, listCheckpoints} from '../training/checkpoint.ts';
import {fingerprint} from './fingerprint.ts';

/** A row of the tables. */
export interface AdapterToEvaluate {
  /** Of letters, digits, - and _. Several adapters may share one, each for tasks of its own, or steps of one run. */
  readonly label: string;
  /** Of any kind. The step of one in a training run's checkpoint is known by the folder's name. */
  readonly file: string;
  /** Default: all tasks of the set. */
  readonly tasks?: readonly string[] | undefined;
  /** Whether instructions are drawn from the set's pools (default), or are one and the same for each task. */
  readonly instructions?: 'pool' | 'fixed' | undefined;
}

export interface EvaluatedAdapter {
  readonly label: string;
  /** In a training run. */
  readonly step?: number | undefined;
  readonly file: string;
  readonly sha256: string;
  readonly kind: string;
  readonly tasks?: readonly string[] | undefined;
  /** `none` for one that reads no instruction. */
  readonly instructions: 'pool' | 'fixed' | 'none';
  readonly models: PipelineModels & {readonly adapter: AdapterModels};
}

export interface OpenedAdapters {
  readonly base: PipelineModels;
  readonly adapters: readonly EvaluatedAdapter[];
  dispose(): Promise<void>;
}

/** All checkpoints of a training run, as adapters of one label. */
export async function adaptersOfRun(label: string, folder: string): Promise<AdapterToEvaluate[]> {
  const names = await listCheckpoints(folder);
  if (names.length === 0) {
    throw new ArgumentError(`${folder}: expected a training run with checkpoints, got none. Check the path.`);
  }
  return names.map(name => ({label, file: join(folder, name, 'adapter.safetensors')}));
}

/** @throws FileError, WeightsError, ArgumentError where something is missing or does not fit */
export async function openAdapters(
  model: Omit<LoadOptions, 'adapter'>,
  given: readonly AdapterToEvaluate[],
): Promise<OpenedAdapters> {
  checkLabels(given);
  const base = await loadModels(model);
  const {device} = base.engine;
  const dtype = computeDType(model.dtype, device);
  const engines = [base.engine];
  const dispose = async () => {
    for (const engine of engines) await engine.dispose();
  };
  try {
    const encoders = await loadAdapterEncoders({engine: base.engine, dtype}, model, base.textEncoder);
    const adapters: EvaluatedAdapter[] = [];
    for (const {label, file, tasks, instructions = 'pool'} of given) {
      const engine = new Engine(device, keepOptions(model));
      engines.push(engine);
      const adapter = await loadImageAdapter({engine, dtype}, file, model, base.denoiser);
      const step = stepOf(file);
      adapters.push({
        label,
        ...(step !== undefined && {step}),
        file,
        sha256: await fingerprint(file),
        kind: adapter.description.kind,
        ...(tasks && {tasks}),
        instructions: adapter.readsInstruction ? instructions : 'none',
        models: {...base, adapter: joinAdapter(adapter, encoders)},
      });
    }
    return {base, adapters, dispose};
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** The step of the checkpoint that a file lies in, at any depth: moving averages have a folder of their own. */
function stepOf(file: string): number | undefined {
  const steps = dirname(file).split(/[\\/]/).map(checkpointStep);
  return steps.findLast(step => step !== undefined);
}

/** Its name among all that are evaluated: a folder's too. */
export function adapterId({label, step}: Pick<EvaluatedAdapter, 'label' | 'step'>): string {
  return step === undefined ? label : `${label}@${step}`;
}

/** Of adapters that are for one task: of each label the one of the last step, which tables and grids show. */
export function lastSteps<T extends Pick<EvaluatedAdapter, 'label' | 'step'>>(items: readonly T[]): T[] {
  const isLater = (other: T, item: T) => other.label === item.label && (other.step ?? 0) > (item.step ?? 0);
  return items.filter(item => !items.some(other => isLater(other, item)));
}

function checkLabels(adapters: readonly AdapterToEvaluate[]): void {
  if (adapters.length === 0) throw new ArgumentError('adapters: expected at least one adapter, got none.');
  for (const {label} of adapters) {
    if (/^[\w-]{1,64}$/.test(label)) continue;
    throw new ArgumentError(`adapters: expected labels of letters, digits, - and _, got '${label}'.`);
  }
}
