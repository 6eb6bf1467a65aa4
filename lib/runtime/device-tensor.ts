/**
 * A tensor in a device's memory.
 */
import {DisposedError, DTypeError, invalidArgument, ShapeError} from '../errors.ts';
import type {Addon, BufferHandle, DeviceHandle, TensorInfo} from './addon.ts';
import {type DType, dtypeBytes} from './dtype.ts';
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBFloat16,
  float32ToFloat16,
} from './float-conversion.ts';
import {callNative, fromNative} from './native-error.ts';

/** What a tensor needs of its device. */
export interface TensorDevice {
  readonly name: string;
  readonly addon: Addon;
  /** Of a CUDA device; the processor has none. */
  readonly handle: DeviceHandle | undefined;
}

/** Host arrays that a tensor can be made from; Uint16Array holds bits of float16 or bfloat16. */
export type TensorData = Float32Array | Int32Array | Uint8Array | Uint16Array;

/** A tensor in a device's memory, until `dispose`. */
export class DeviceTensor implements TensorInfo {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Bytes of the buffer; more than the elements need where a kernel's layout is padded. */
  readonly byteLength: number;
  /** @internal */
  readonly device: TensorDevice;
  #handle: BufferHandle | undefined;

  /** Takes over a native buffer. For users there is {@link DeviceTensor.from}. */
  constructor(device: TensorDevice, handle: BufferHandle, {shape, dtype}: TensorInfo) {
    this.shape = shape;
    this.dtype = dtype;
    this.byteLength = device.addon.byteLength(handle);
    this.device = device;
    this.#handle = handle;
  }

  /**
   * Copies host data to the device.
   *
   * @param shape extents; their product is the length of `data`
   * @param dtype default: that of `data`. float32 data can also become float16 or bfloat16 (rounded to
   *   nearest, ties to even); Uint16Array data must be called one of these
   * @throws ShapeError, DTypeError, OutOfMemoryError
   */
  static from(device: TensorDevice, data: TensorData, shape: readonly number[], dtype?: DType): DeviceTensor {
    const stored = encode(data, dtype);
    const count = elementCount(shape);
    if (count !== data.length) {
      throw new ShapeError(
        `DeviceTensor.from: expected ${count} elements for shape [${shape.join(', ')}], got ${data.length}.`,
      );
    }
    const {addon} = device;
    const handle = callNative(() => addon.allocate(stored.data.byteLength, device.handle));
    callNative(() => addon.write(handle, 0, stored.data));
    return new DeviceTensor(device, handle, {shape: [...shape], dtype: stored.dtype});
  }

  /**
   * Copies float32 rows that lie apart in the host's memory to the device, one after another. Joined in an array first, rows
   * of megabytes would have V8 collect garbage again and again.
   *
   * @param shape extents; their product is the number of elements of all rows
   * @throws ShapeError, OutOfMemoryError
   */
  static fromRows(
    device: TensorDevice,
    rows: readonly Float32Array[],
    shape: readonly number[],
  ): DeviceTensor {
    const {addon} = device;
    const count = elementCount(shape);
    const given = rows.reduce((sum, row) => sum + row.length, 0);
    if (count !== given) {
      throw new ShapeError(
        `DeviceTensor.fromRows: expected ${count} elements for shape [${shape.join(', ')}], got ${given}.`,
      );
    }
    const bytes = count * dtypeBytes.float32;
    const target = callNative(() => addon.allocate(bytes, device.handle));
    const host = device.handle === undefined ? target : callNative(() => addon.allocate(bytes));
    let offset = 0;
    for (const row of rows) {
      callNative(() => addon.write(host, offset, row));
      offset += row.byteLength;
    }
    if (host !== target) {
      // Whoever reads the tensor is told of a failure.
      addon.copy(host, target).catch(() => {});
      addon.release(host);
    }
    return new DeviceTensor(device, target, {shape: [...shape], dtype: 'float32'});
  }

  /** Where it is: `cpu`, or e.g. `cuda:0`. */
  get deviceName(): string {
    return this.device.name;
  }

  /** The native buffer. @throws DisposedError */
  get handle(): BufferHandle {
    if (this.#handle === undefined) {
      throw new DisposedError(`tensor ${this.dtype}[${this.shape.join(', ')}]: used after dispose().`);
    }
    return this.#handle;
  }

  /**
   * Copies the values to the host as float32; 16-bit floats convert exactly, integers beyond 2^24 are
   * rounded.
   *
   * @throws DisposedError
   */
  async toFloat32Array(): Promise<Float32Array> {
    const count = elementCount(this.shape);
    switch (this.dtype) {
      case 'float32':
        return this.#read(new Float32Array(count));
      case 'float16':
        return float16ToFloat32(await this.#read(new Uint16Array(count)));
      case 'bfloat16':
        return bfloat16ToFloat32(await this.#read(new Uint16Array(count)));
      case 'int32':
        return Float32Array.from(await this.#read(new Int32Array(count)));
      case 'uint8':
        return Float32Array.from(await this.#read(new Uint8Array(count)));
    }
  }

  /** Fills an array with the values, once the runs begun before are done. */
  async #read<T extends TensorData>(data: T): Promise<T> {
    const {addon, handle: device} = this.device;
    if (device === undefined) {
      callNative(() => addon.read(this.handle, 0, data));
      return data;
    }
    const caller = new Error();
    const part = callNative(() => addon.view(this.handle, 0, data.byteLength));
    const host = callNative(() => addon.allocate(data.byteLength));
    try {
      await addon.copy(part, host);
      addon.read(host, 0, data);
      return data;
    } catch (error) {
      throw fromNative(error, caller);
    } finally {
      addon.release(part);
      addon.release(host);
    }
  }

  /** Frees the memory, once no run that was begun needs it. Calling it again does nothing. */
  dispose(): void {
    if (this.#handle === undefined) return;
    this.device.addon.release(this.#handle);
    this.#handle = undefined;
  }

  /** For `using`: as `dispose`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

function elementCount(shape: readonly number[]): number {
  for (const extent of shape) {
    if (!Number.isInteger(extent) || extent < 1) {
      throw invalidArgument('DeviceTensor.from: shape', 'positive integers', extent);
    }
  }
  return shape.reduce((product, extent) => product * extent, 1);
}

/** The data in the dtype that was asked for. */
function encode(data: TensorData, dtype: DType | undefined): {data: TensorData; dtype: DType} {
  if (data instanceof Float32Array) {
    if (dtype === 'bfloat16') return {data: float32ToBFloat16(data), dtype};
    if (dtype === 'float16') return {data: float32ToFloat16(data), dtype};
  }
  const natural = naturalDType(data, dtype);
  if (natural === undefined || dtypeBytes[natural] !== data.BYTES_PER_ELEMENT) {
    throw new DTypeError(
      `DeviceTensor.from: expected data of dtype ${dtype ?? 'float16 or bfloat16, named as such'}, ` +
        `got a ${data.constructor.name}. Convert it first.`,
    );
  }
  return {data, dtype: natural};
}

/** The dtype of an array, or undefined when it cannot be `wanted`. */
function naturalDType(data: TensorData, wanted: DType | undefined): DType | undefined {
  if (data instanceof Uint16Array) return wanted === 'float16' || wanted === 'bfloat16' ? wanted : undefined;
  const dtype = data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'uint8';
  return wanted === undefined || wanted === dtype ? dtype : undefined;
}
