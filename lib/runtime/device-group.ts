/**
 * GPUs of ranks that train together, which sum what lies in their memory by NCCL, without the host in between.
 */
import {DeviceError} from '../errors.ts';
import type {GroupHandle} from './addon.ts';
import {debugLog} from './debug-log.ts';
import type {DeviceTensor, TensorDevice} from './device-tensor.ts';
import {callNative, fromNative} from './native-error.ts';

/** What a rank needs to agree with the others: its place, and sums of numbers over all. */
interface Ranks {
  readonly rank: number;
  readonly size: number;
  sum(values: readonly number[]): Promise<readonly number[]>;
}

const nameBytes = 128;

export class DeviceGroup {
  readonly #device: TensorDevice;
  readonly #handle: GroupHandle;

  private constructor(device: TensorDevice, handle: GroupHandle) {
    this.#device = device;
    this.#handle = handle;
  }

  /**
   * The group of the device that each rank gives, for all ranks to call; undefined for all where one of them has no NCCL, or
   * NCCL cannot have these devices, for two ranks share one, say.
   */
  static async open(device: TensorDevice, ranks: Ranks): Promise<DeviceGroup | undefined> {
    const {addon} = device;
    const name = await agreeOnName(device, ranks);
    if (name === undefined) return undefined;
    const handle = callNative(() => addon.createGroup(device.handle!));
    const problem = await addon.joinGroup(handle, name, ranks.rank, ranks.size).then(
      () => undefined,
      (error: Error) => error,
    );
    if (problem !== undefined) debugLog(1, () => `ranks: ${problem.message}`);
    const [strangers] = await ranks.sum([problem === undefined ? 0 : 1]);
    const group = new DeviceGroup(device, handle);
    if (strangers === 0) return group;
    await group.leave();
    return undefined;
  }

  /** Replaces float32 tensors of the device by their sums over the ranks, with equal bits. */
  async sum(tensors: readonly DeviceTensor[]): Promise<void> {
    const handles = tensors.map(({handle}) => handle);
    await this.#device.addon.sumOverGroup(this.#handle, handles).catch(error => {
      throw fromNative(error);
    });
  }

  async leave(): Promise<void> {
    await this.#device.addon.leaveGroup(this.#handle);
  }
}

/** Rank 0 makes a name and tells the others; undefined where one of them has no NCCL. */
async function agreeOnName(device: TensorDevice, ranks: Ranks): Promise<Uint8Array | undefined> {
  const own = ranks.rank === 0 ? nameGroup(device) : new Uint8Array(nameBytes);
  const hasNccl = own !== undefined && device.addon.ncclVersion(device.handle!) !== null;
  const [without, ...name] = await ranks.sum([hasNccl ? 0 : 1, ...(own ?? new Uint8Array(nameBytes))]);
  return without === 0 ? Uint8Array.from(name) : undefined;
}

function nameGroup({addon, handle}: TensorDevice): Uint8Array | undefined {
  try {
    return callNative(() => addon.nameGroup(handle!));
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    debugLog(1, () => `ranks: ${error.message}`);
    return undefined;
  }
}
