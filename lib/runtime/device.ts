/**
 * Devices: where tensors live and programs run.
 */
import {DeviceError, FileError, invalidArgument} from '../errors.ts';
import type {Addon, BufferHandle, SystemInfo, TensorInfo} from './addon.ts';
import {debugLog, mebibytes} from './debug-log.ts';
import {DeviceTensor} from './device-tensor.ts';
import {dtypeBytes} from './dtype.ts';
import {cpuTarget, numThreads} from './env.ts';
import {loadAddon} from './load-addon.ts';
import {callNative} from './native-error.ts';
import type {ProgramDescription} from './program.ts';
import {CompiledProgram} from './program-handle.ts';

/** `auto` takes the best device there is; the others insist. */
export type DeviceSpec = 'auto' | 'cpu' | 'cuda' | `cuda:${number}`;

/** The host's processor. Opening it more than once gives the same threads and memory. */
export class Device {
  readonly kind = 'cpu';
  /** @internal */
  readonly addon: Addon;

  constructor(addon: Addon) {
    this.addon = addon;
  }

  systemInfo(): SystemInfo {
    return this.addon.systemInfo();
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
   * to memory instead. The file must not be shortened meanwhile.
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
      const handle = byteOffset % dtypeBytes[dtype] === 0 ? part : copy(addon, part, bytes);
      return new DeviceTensor(this, handle, {shape: [...shape], dtype});
    } finally {
      addon.release(whole);
    }
  }
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
 * @throws NoBinaryError when the native addon is missing
 * @throws DeviceError for a device that is asked for by name and is not there; never for 'auto'
 */
export function openDevice(spec: DeviceSpec = 'auto'): Device {
  if (typeof spec !== 'string' || !/^(auto|cpu|cuda(:\d+)?)$/.test(spec)) {
    throw invalidArgument('device', "'auto', 'cpu', 'cuda' or 'cuda:<index>'", spec);
  }
  if (spec.startsWith('cuda')) {
    throw new DeviceError(
      `device '${spec}': this build has no CUDA backend. Choose 'cpu', or 'auto' for the best device there is.`,
    );
  }
  const addon = loadAddon();
  callNative(() => addon.configure({threads: numThreads(), target: cpuTarget()}));
  const device = new Device(addon);
  debugLog(1, () => describe(device.systemInfo()));
  return device;
}

function describe(info: SystemInfo): string {
  const memory = `${mebibytes(info.availableMemoryBytes)} of ${mebibytes(info.totalMemoryBytes)} free`;
  return `device: cpu, ${info.cpuModel || 'unknown model'}, ${info.cpuTarget}, ${info.threads} threads, ${memory}`;
}
