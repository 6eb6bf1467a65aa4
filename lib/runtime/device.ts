/**
 * Devices: where tensors live and programs run.
 */
import {DeviceError, FileError, invalidArgument} from '../errors.ts';
import type {
  Addon,
  BufferHandle,
  CudaInfo,
  DeviceHandle,
  MemoryUsage,
  SystemInfo,
  TensorInfo,
} from './addon.ts';
import {mpiPlace} from './communicator.ts';
import {debugLog, mebibytes} from './debug-log.ts';
import {DeviceTensor} from './device-tensor.ts';
import {dtypeBytes} from './dtype.ts';
import {cpuTarget, numThreads} from './env.ts';
import {findCudaLibrary} from './find-cuda-library.ts';
import {loadAddon} from './load-addon.ts';
import {callNative} from './native-error.ts';
import type {ProgramDescription} from './program.ts';
import {CompiledProgram} from './program-handle.ts';

/** `auto` takes the best device there is; the others insist. */
export type DeviceSpec = 'auto' | 'cpu' | 'cuda' | `cuda:${number}`;

/** What a device is, and the machine around it. */
export interface DeviceInfo extends SystemInfo {
  readonly cuda?: CudaInfo;
}

/** A processor or a GPU. Opening one more than once gives the same threads and memory. */
export class Device {
  readonly kind: 'cpu' | 'cuda';
  /** `cpu`, or e.g. `cuda:0`. */
  readonly name: string;
  /** @internal */
  readonly addon: Addon;
  /** Of a CUDA device. @internal */
  readonly handle: DeviceHandle | undefined;

  constructor(addon: Addon, handle?: DeviceHandle) {
    this.addon = addon;
    this.handle = handle;
    this.kind = handle === undefined ? 'cpu' : 'cuda';
    this.name = handle === undefined ? 'cpu' : `cuda:${addon.cudaInfo(handle).index}`;
  }

  /** What this machine is, and of a CUDA device what that is. */
  systemInfo(): DeviceInfo {
    const {addon, handle} = this;
    const system = addon.systemInfo();
    return handle === undefined ? system : {...system, cuda: callNative(() => addon.cudaInfo(handle))};
  }

  /** Bytes that this process holds on the device. */
  memoryUsage(): MemoryUsage {
    return this.addon.memoryUsage(this.handle);
  }

  /**
   * Checks a program and plans its memory.
   *
   * @throws ArgumentError when this device cannot run it
   */
  compile(description: ProgramDescription): CompiledProgram {
    return new CompiledProgram(this, description);
  }

  /**
   * A tensor that lies in a file from `byteOffset`, mapped read-only: its pages are read when an op touches
   * them, and let go on `dispose()`. A tensor that does not begin at a multiple of its element size is copied
   * to memory instead; on CUDA each is copied to the device, in turn with its runs. The file must not be shortened
   * meanwhile.
   *
   * @throws FileError when the file cannot be mapped or is too short
   */
  mapTensor(file: string, byteOffset: number, {shape, dtype}: TensorInfo): DeviceTensor {
    const {addon} = this;
    const bytes = shape.reduce((product, extent) => product * extent, dtypeBytes[dtype]);
    const whole = callNative(() => addon.mapFile(file));
    try {
      const fileBytes = addon.byteLength(whole);
      if (byteOffset + bytes > fileBytes) {
        throw new FileError(
          `${file}: expected ${bytes} bytes at offset ${byteOffset}, but the file ends at ${fileBytes}. ` +
            'Is it complete? Fetch it again.',
        );
      }
      const part = callNative(() => addon.view(whole, byteOffset, bytes));
      const isAligned = byteOffset % dtypeBytes[dtype] === 0;
      const handle = this.handle
        ? upload(addon, part, this.handle)
        : isAligned
          ? part
          : copy(addon, part, bytes);
      return new DeviceTensor(this, handle, {shape: [...shape], dtype});
    } finally {
      addon.release(whole);
    }
  }
}

/** A failure of the copy is told by the first run that reads the target. */
function upload(addon: Addon, source: BufferHandle, device: DeviceHandle): BufferHandle {
  const target = callNative(() => addon.allocate(addon.byteLength(source), device));
  addon.copy(source, target).catch(() => undefined);
  addon.release(source);
  return target;
}

function copy(addon: Addon, source: BufferHandle, bytes: number): BufferHandle {
  const data = new Uint8Array(bytes);
  addon.read(source, 0, data);
  addon.release(source);
  const target = callNative(() => addon.allocate(bytes));
  addon.write(target, 0, data);
  return target;
}

/**
 * Opens a device. `IPAI_NUM_THREADS` and `IPAI_CPU_TARGET` are read here, the first time in a process.
 *
 * @param spec `cuda` is the first CUDA device, or where several processes were launched together the rank's own; `auto` is
 *   that where it can be had, the processor elsewhere
 * @throws NoBinaryError when the native addon is missing
 * @throws DeviceError for a CUDA device that is asked for by name and cannot be had, and says what is missing; never for
 *   'auto'
 */
export function openDevice(spec: DeviceSpec = 'auto'): Device {
  const [, kind, index] = (typeof spec === 'string' && /^(auto|cpu|cuda)(?::(\d+))?$/.exec(spec)) || [];
  if (kind === undefined || (index !== undefined && kind !== 'cuda')) {
    throw invalidArgument('device', "'auto', 'cpu', 'cuda' or 'cuda:<index>'", spec);
  }
  const addon = loadAddon();
  const coreSharers = mpiPlace()?.coreSharers;
  callNative(() => addon.configure({threads: numThreads(), coreSharers, target: cpuTarget()}));
  const device = open(addon, kind, index === undefined ? undefined : Number(index), spec);
  debugLog(1, () => describe(device));
  return device;
}

function open(addon: Addon, kind: string, index: number | undefined, spec: string): Device {
  if (kind === 'cpu') return new Device(addon);
  try {
    return new Device(addon, openCuda(addon, index));
  } catch (error) {
    const isMissing = error instanceof DeviceError;
    if (kind === 'auto' && isMissing) {
      debugLog(1, () => `device: no CUDA: ${error.message}`);
      return new Device(addon);
    }
    if (!isMissing) throw error;
    const reason = error.message.replace(/^cuda: /, '');
    throw new DeviceError(
      `device '${spec}': ${reason} Or choose 'cpu', or 'auto' for the best device there is.`,
      {cause: error},
    );
  }
}

function openCuda(addon: Addon, index: number | undefined): DeviceHandle {
  const library = findCudaLibrary();
  return callNative(() => addon.openCuda(library, index ?? nextForRank(addon, library)));
}

/** Ranks of one machine take its devices in turn. */
function nextForRank(addon: Addon, library: string): number {
  const {localRank} = mpiPlace() ?? {localRank: 0};
  return localRank === 0 ? 0 : localRank % Math.max(1, addon.countCudaDevices(library));
}

function describe(device: Device): string {
  const {cuda, ...cpu} = device.systemInfo();
  const free = ({free, total}: {free: number; total: number}) =>
    `${mebibytes(free)} of ${mebibytes(total)} free`;
  if (cuda !== undefined) {
    const memory = free({free: cuda.freeMemoryBytes, total: cuda.totalMemoryBytes});
    return `device: ${device.name}, ${cuda.name}, driver for CUDA ${cuda.driverVersion}, ${memory}`;
  }
  const memory = free({free: cpu.availableMemoryBytes, total: cpu.totalMemoryBytes});
  return `device: cpu, ${cpu.cpuModel || 'unknown model'}, ${cpu.cpuTarget}, ${cpu.threads} threads, ${memory}`;
}
