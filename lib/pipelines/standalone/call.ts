/**
 * One compiled function called with tensors of the host or of a device.
 */
import type {CompiledFunction} from '../../engine/compiled-function.ts';
import {Engine} from '../../engine/engine.ts';
import {ArgumentError} from '../../errors.ts';
import type {Tensor} from '../../graph/tensor.ts';
import {type Device, type DeviceSpec, openDevice} from '../../runtime/device.ts';
import {DeviceTensor} from '../../runtime/device-tensor.ts';
import {type ComputeDType, computeDType} from '../compute-dtype.ts';
import {download, type HostTensor, upload} from '../host-tensor.ts';

/** float32 values on the host, or a tensor on a device. */
export type Operand = HostTensor | DeviceTensor;

/** A result lies where the first operand did. */
export type ResultFor<First extends Operand> = First extends DeviceTensor ? DeviceTensor : HostTensor;

/** Where a kernel runs, and in which dtype. */
export interface CallOptions {
  /** Where operands of the host are brought to. Default: where the others are, or else `auto`. */
  readonly device?: DeviceSpec | undefined;
  /**
   * What operands of the host are rounded to. Default: the dtype of the first operand where that is on a device, else
   * float32 on the processor and bfloat16 on CUDA.
   */
  readonly dtype?: ComputeDType | undefined;
  /** Ends the call; the promise rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Where a call takes place. */
export interface CallPlace {
  readonly device: Device;
  readonly dtype: ComputeDType;
}

/** The device of the operands that are on one, and the dtype of the first. */
export function placeOf(operands: readonly (Operand | undefined)[], options: CallOptions): CallPlace {
  const tensor = operands.find(operand => operand instanceof DeviceTensor);
  const device = openDevice((tensor?.deviceName as DeviceSpec | undefined) ?? options.device ?? 'auto');
  const [first] = operands;
  const given = first instanceof DeviceTensor ? (first.dtype as ComputeDType) : undefined;
  return {device, dtype: computeDType(options.dtype ?? given, device)};
}

const engines = new Map<string, Engine>();

/** The engine of all calls on a device: what it compiles stays to the end of the process. */
export function engineOf(device: Device): Engine {
  const engine = engines.get(device.name) ?? new Engine(device);
  engines.set(device.name, engine);
  return engine;
}

type Inputs = {readonly [name: string]: Tensor | undefined};

/**
 * Brings operands to the device, runs, and brings the result back where the first operand was on the host.
 *
 * @param float32 names of operands that are float32 whatever the dtype
 */
export async function call<First extends Operand>(
  fn: CompiledFunction<Inputs, Tensor>,
  operands: {readonly [name: string]: Operand | undefined},
  {device, dtype}: CallPlace,
  {signal, float32 = []}: {signal?: AbortSignal | undefined; float32?: readonly string[]},
): Promise<ResultFor<First>> {
  const uploaded: DeviceTensor[] = [];
  try {
    const inputs: Record<string, DeviceTensor> = {};
    for (const [name, operand] of Object.entries(operands)) {
      if (operand === undefined) continue;
      if (operand instanceof DeviceTensor) {
        inputs[name] = operand;
      } else {
        expectValues(fn.name, name, operand);
        const tensor = upload(device, operand, float32.includes(name) ? 'float32' : dtype);
        uploaded.push(tensor);
        inputs[name] = tensor;
      }
    }
    const result = await fn.run(inputs, {signal});
    const isOnDevice = Object.values(operands)[0] instanceof DeviceTensor;
    return (isOnDevice ? result : await download(result)) as ResultFor<First>;
  } finally {
    for (const tensor of uploaded) tensor.dispose();
  }
}

function expectValues(fn: string, name: string, {shape, data}: HostTensor): void {
  const isArray = data instanceof Float32Array && Array.isArray(shape);
  const count = isArray ? shape.reduce((product, extent) => product * extent, 1) : Number.NaN;
  if (isArray && data.length === count) return;
  throw new ArgumentError(
    `${fn}: ${name}: expected {shape, data} with a Float32Array of as many elements as the shape has` +
      (isArray ? `, [${shape.join(', ')}], but received ${data.length}.` : '.'),
  );
}
