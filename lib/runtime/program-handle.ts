/**
 * A compiled program: checked, planned, ready to run any number of times.
 */
import {DTypeError, IPAdapterError, ShapeError} from '../errors.ts';
import type {BufferHandle, ProgramHandle, ProgramPlan, TensorInfo} from './addon.ts';
import {debugLog, mebibytes} from './debug-log.ts';
import {DeviceTensor, type TensorDevice} from './device-tensor.ts';
import {checksNan, debugLevel} from './env.ts';
import {callNative, fromNative, isCancellation} from './native-error.ts';
import type {ProgramDescription} from './program.ts';

export type {PlanRow, ProgramPlan} from './addon.ts';

export interface RunRequest {
  readonly inputs: readonly DeviceTensor[];
  /** Weights. */
  readonly parameters: readonly DeviceTensor[];
  /** Ends the run after the op that it is at; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Measure each node. */
  readonly profile?: boolean | undefined;
  /** Fail at the first op whose output holds a NaN. Default: as `IPAI_CHECK_NAN` says. */
  readonly checkNan?: boolean | undefined;
}

/** Start and end of a node in microseconds on the clock of `process.hrtime()`. */
export interface NodeTime {
  /** Index in the description's nodes. */
  readonly node: number;
  readonly startUs: number;
  readonly endUs: number;
}

export interface RunResult {
  /** The caller's to dispose. One that a donated input became is that input's tensor itself, if it has its shape and dtype. */
  readonly outputs: DeviceTensor[];
  /** In the order of the nodes; present when it was asked for. */
  readonly profile?: readonly NodeTime[] | undefined;
}

interface OutputBinding {
  readonly inputs: readonly DeviceTensor[];
  readonly outputs: DeviceTensor[];
  readonly made: DeviceTensor[];
}

export class CompiledProgram {
  readonly description: ProgramDescription;
  readonly #device: TensorDevice;
  readonly #handle: ProgramHandle;
  readonly #plan: ProgramPlan;

  /** @throws ArgumentError when the device cannot run the program, with the node and its scope */
  constructor(device: TensorDevice, description: ProgramDescription) {
    const {addon} = device;
    this.description = description;
    this.#device = device;
    this.#handle = callNative(() => addon.compile(description, device.handle));
    this.#plan = callNative(() => addon.plan(this.#handle));
    debugLog(1, () => this.#summary());
  }

  /** What a run needs. */
  plan(): ProgramPlan {
    return this.#plan;
  }

  /**
   * Runs the program on the device's own thread, after the runs begun before it. Tensors may be disposed as
   * soon as this has been called. Donated inputs hold nothing afterwards but the outputs that they became, not even where
   * it fails.
   *
   * @throws ShapeError, DTypeError when tensors do not fit; OutOfMemoryError; NumericError where
   *   NaN is looked for and found; the signal's reason when it was aborted
   */
  async run({
    inputs,
    parameters,
    signal,
    profile = false,
    checkNan = checksNan(),
  }: RunRequest): Promise<RunResult> {
    signal?.throwIfAborted();
    this.#check('inputs', inputs);
    this.#check('parameters', parameters);
    const {addon} = this.#device;
    const caller = new Error();
    const outputs: DeviceTensor[] = [];
    const made: DeviceTensor[] = [];
    const token = addon.createToken();
    const cancel = () => addon.cancel(token);
    signal?.addEventListener('abort', cancel, {once: true});
    try {
      this.#bindOutputs({inputs, outputs, made});
      const bindings = {
        inputs: handles(inputs),
        parameters: handles(parameters),
        outputs: handles(outputs),
        profile: profile || debugLevel() >= 2,
        checkNan,
      };
      const times = await addon.run(this.#handle, bindings, token);
      const nodeTimes = times && toNodeTimes(times);
      if (nodeTimes !== undefined) debugLog(2, () => this.#slowest(nodeTimes));
      return {outputs, profile: profile ? (nodeTimes ?? []) : undefined};
    } catch (error) {
      for (const tensor of made) tensor.dispose();
      if (isCancellation(error)) throw signal?.reason;
      throw error instanceof IPAdapterError ? error : fromNative(error, caller);
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** Fills `outputs`, and `made` with those that are no donated inputs. */
  #bindOutputs({inputs, outputs, made}: OutputBinding): void {
    const {addon, handle: device} = this.#device;
    const {outputBytes, outputInputs} = this.#plan;
    for (const [index, id] of this.description.outputs.entries()) {
      const type = this.description.tensors[id]!;
      const donated = inputs[outputInputs[index]!];
      if (donated?.dtype === type.dtype && isSameShape(donated.shape, type.shape)) {
        outputs.push(donated);
        continue;
      }
      const bytes = outputBytes[index]!;
      const handle = donated ? addon.view(donated.handle, 0, bytes) : addon.allocate(bytes, device);
      const tensor = new DeviceTensor(this.#device, handle, type);
      outputs.push(tensor);
      made.push(tensor);
    }
  }

  #check(group: 'inputs' | 'parameters', tensors: readonly DeviceTensor[]): void {
    const ids = this.description[group];
    if (ids.length !== tensors.length) {
      throw new ShapeError(`run: expected ${ids.length} ${group}, got ${tensors.length}.`);
    }
    for (const [index, id] of ids.entries()) {
      const expected = this.description.tensors[id]!;
      const got = tensors[index]!;
      const sameDType = got.dtype === expected.dtype;
      if (sameDType && isSameShape(got.shape, expected.shape)) continue;
      const message = `run: ${group}[${index}]: expected ${typeText(expected)}, got ${typeText(got)}.`;
      throw sameDType ? new ShapeError(message) : new DTypeError(message);
    }
  }

  #summary(): string {
    const {peakBytes, lowerBoundBytes, rows} = this.#plan;
    const scope = this.description.nodes[0]?.scope ?? '';
    const nodes = this.description.nodes.length;
    const sizes = `${mebibytes(peakBytes)} peak, bound ${mebibytes(lowerBoundBytes)}, ${rows.length} blocks`;
    return `plan: ${nodes} nodes from ${scope || '(no scope)'}: ${sizes}`;
  }

  /** Total time and the ops that took most of it. */
  #slowest(times: readonly NodeTime[]): string {
    const byOp = new Map<string, number>();
    let total = 0;
    for (const {node, startUs, endUs} of times) {
      const {op} = this.description.nodes[node]!;
      byOp.set(op, (byOp.get(op) ?? 0) + endUs - startUs);
      total += endUs - startUs;
    }
    const slowest = [...byOp].sort(([, a], [, b]) => b - a).slice(0, 5);
    const list = slowest.map(([op, us]) => `${op} ${(us / 1000).toFixed(2)}`).join(', ');
    return `run: ${times.length} nodes in ${(total / 1000).toFixed(2)} ms: ${list}`;
  }
}

function handles(tensors: readonly DeviceTensor[]): BufferHandle[] {
  return tensors.map(tensor => tensor.handle);
}

function toNodeTimes(times: Float64Array): NodeTime[] {
  return Array.from({length: times.length / 2}, (_, node) => ({
    node,
    startUs: times[2 * node]!,
    endUs: times[2 * node + 1]!,
  }));
}

function isSameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

function typeText({dtype, shape}: TensorInfo): string {
  return `${dtype}[${shape.join(', ')}]`;
}
