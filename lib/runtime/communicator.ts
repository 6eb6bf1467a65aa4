/**
 * The ranks of a training run: processes that mpirun or srun has begun together, and sums over all of them. Behind it is
 * MPI, by way of `libipai_mpi.so`, which is opened where several processes were begun, and only there; and NCCL for what
 * lies on GPUs, where all ranks have it.
 */
import {existsSync} from 'node:fs';
import path from 'node:path';
import {DeviceError} from '../errors.ts';
import type {Addon, BufferHandle, MpiPlace} from './addon.ts';
import {debugLog} from './debug-log.ts';
import {DeviceGroup} from './device-group.ts';
import type {DeviceTensor, TensorDevice} from './device-tensor.ts';
import {launchedProcesses} from './env.ts';
import {addonPath, loadAddon} from './load-addon.ts';
import {callNative} from './native-error.ts';

/** A process among those that do the same work on parts of the same data. */
export interface RankPlace {
  /** From 0. Rank 0 is the one that writes and prints. */
  readonly rank: number;
  /** How many ranks there are. */
  readonly size: number;
}

/** All ranks must call its functions in the same order: each waits for the others. */
export interface Communicator extends RankPlace {
  /** Sums over the ranks, number by number; the ranks get equal bits. */
  sum(values: readonly number[]): Promise<readonly number[]>;
  /** Replaces float32 tensors by their sums over the ranks, with equal bits; of equal number and shapes on each. */
  sumTensors(tensors: readonly DeviceTensor[]): Promise<void>;
  /** Waits for all ranks to come here. A process that ends without it ends all others. */
  close(): Promise<void>;
}

/** Of a process that was begun alone. */
export const singleProcess: Communicator = {
  rank: 0,
  size: 1,
  sum: async values => values,
  sumTensors: async () => {},
  close: async () => {},
};

const fileName = 'libipai_mpi.so';
/** What is on its way between a device and the host at a time, twice over: one part is copied while another is summed. */
const stagedBytes = 2 ** 25;

let place: MpiPlace | undefined;

/** Of this process, once {@link openCommunicator} has found others. */
export function mpiPlace(): MpiPlace | undefined {
  return place;
}

/**
 * Joins the processes that were launched with this one; to be called once, before a device is opened: ranks share out the
 * cores and the GPUs of a machine.
 *
 * @throws DeviceError where several were launched, and MPI is missing or is not the launcher's
 */
export async function openCommunicator(): Promise<Communicator> {
  const launched = launchedProcesses();
  if (launched === 1) return singleProcess;
  const addon = loadAddon();
  const library = findMpiLibrary(launched);
  await callNative(() => addon.openMpi(library));
  place = addon.mpiPlace();
  if (place.size === launched) return new MpiCommunicator(addon, place);
  throw new DeviceError(
    `mpi: the launcher began ${launched} processes, but MPI finds ${place.size}. Launch with the mpirun of the MPI that ` +
      `${library} was built with, or with \`srun --mpi=pmix\`; or build it anew with the launcher's: npm run build:native.`,
  );
}

function findMpiLibrary(launched: number): string {
  const library = path.join(path.dirname(addonPath()), fileName);
  if (existsSync(library)) return library;
  throw new DeviceError(
    `mpi: ${launched} processes were launched together, which needs ${fileName}, and ${library} is not there. Install an ` +
      'MPI (Debian, Ubuntu: apt-get install libopenmpi-dev openmpi-bin), then build with it: npm run build:native.',
  );
}

class MpiCommunicator implements Communicator {
  readonly rank: number;
  readonly size: number;
  readonly #addon: Addon;
  /** Of the device whose tensors are summed: a process trains on one. */
  #group: Promise<DeviceGroup | undefined> | undefined;

  constructor(addon: Addon, {rank, size}: MpiPlace) {
    this.#addon = addon;
    this.rank = rank;
    this.size = size;
  }

  async sum(values: readonly number[]): Promise<readonly number[]> {
    const data = Float64Array.from(values);
    const buffer = callNative(() => this.#addon.allocate(data.byteLength));
    try {
      this.#addon.write(buffer, 0, data);
      await this.#addon.sumDoubles(buffer);
      this.#addon.read(buffer, 0, data);
      return [...data];
    } finally {
      this.#addon.release(buffer);
    }
  }

  async sumTensors(tensors: readonly DeviceTensor[]): Promise<void> {
    const device = tensors[0]?.device;
    if (device === undefined) return;
    if (device.handle === undefined) {
      await this.#addon.sumFloats(tensors.map(({handle}) => handle));
      return;
    }
    this.#group ??= this.#openGroup(device);
    const group = await this.#group;
    await (group === undefined ? this.#sumByHost(tensors) : group.sum(tensors));
  }

  async close(): Promise<void> {
    await (await this.#group)?.leave();
    await this.#addon.closeMpi();
  }

  async #openGroup(device: TensorDevice): Promise<DeviceGroup | undefined> {
    const group = await DeviceGroup.open(device, this);
    debugLog(1, () => `ranks: tensors are summed by ${group === undefined ? 'MPI on the host' : 'NCCL'}`);
    return group;
  }

  async #sumByHost(tensors: readonly DeviceTensor[]): Promise<void> {
    const parts = inParts(tensors);
    let buffers = await this.#copyToHost(parts[0]!);
    for (const [index, part] of parts.entries()) {
      const [ahead] = await Promise.all([
        this.#copyToHost(parts[index + 1] ?? []),
        this.#sumAndCopyBack(buffers, part),
      ]);
      buffers = ahead;
    }
  }

  async #copyToHost(part: readonly DeviceTensor[]): Promise<BufferHandle[]> {
    const buffers = part.map(({byteLength}) => callNative(() => this.#addon.allocate(byteLength)));
    await Promise.all(part.map(({handle}, index) => this.#addon.copy(handle, buffers[index]!)));
    return buffers;
  }

  async #sumAndCopyBack(buffers: readonly BufferHandle[], part: readonly DeviceTensor[]): Promise<void> {
    await this.#addon.sumFloats(buffers);
    await Promise.all(part.map(({handle}, index) => this.#addon.copy(buffers[index]!, handle)));
    for (const buffer of buffers) this.#addon.release(buffer);
  }
}

/** Neighbours together, of {@link stagedBytes} at the most unless one alone has more. */
function inParts(tensors: readonly DeviceTensor[]): readonly (readonly DeviceTensor[])[] {
  const parts: DeviceTensor[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const tensor of tensors) {
    bytes += tensor.byteLength;
    if (bytes > stagedBytes) {
      parts.push([]);
      bytes = tensor.byteLength;
    }
    parts.at(-1)!.push(tensor);
  }
  return parts;
}
