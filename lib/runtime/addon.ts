/**
 * The compiled addon's functions, as native/addon registers them. Only files of this folder call them.
 *
 * All of them throw an Error with a `code` of lib/errors.ts when an argument is bad; see native-error.ts.
 */
import type {DType} from './dtype.ts';
import type {ProgramDescription} from './program.ts';

declare const handleKind: unique symbol;

/** Native memory: allocated, or a part of a mapped file. Freed by `release`, or when it is garbage. */
export interface BufferHandle {
  readonly [handleKind]: 'buffer';
}
/** A checked and planned program. */
export interface ProgramHandle {
  readonly [handleKind]: 'program';
}
/** A CUDA device. The processor has no handle: functions take it where none is given. */
export interface DeviceHandle {
  readonly [handleKind]: 'device';
}
/** What `cancel` takes to end a run. */
export interface TokenHandle {
  readonly [handleKind]: 'token';
}

/** A CUDA device's place in a group of devices of several processes. */
export interface GroupHandle {
  readonly [handleKind]: 'group';
}

export interface NativeOpInput {
  readonly name: string;
  readonly kind: 'required' | 'optional' | 'variadic';
}

export interface NativeOpAttribute {
  readonly name: string;
  readonly type: 'u32' | 'i32' | 'f32' | 'bool' | 'i32[]' | 'enum';
  /** Names of an enum, in order; empty for other types. */
  readonly options: readonly string[];
}

/** An op as its folder in native/ops declares it. */
export interface NativeOp {
  readonly name: string;
  readonly inputs: readonly NativeOpInput[];
  readonly attributes: readonly NativeOpAttribute[];
  /** Inputs whose memory the output may take over. */
  readonly inPlaceInputs: readonly number[];
  /** The output is input 0 under another shape. */
  readonly isView: boolean;
}

export interface SystemInfo {
  readonly cpuModel: string;
  /** Extensions that kernels could use, e.g. `avx2`, `avx512f`. */
  readonly cpuFeatures: readonly string[];
  /** The instruction set in use. */
  readonly cpuTarget: 'portable' | 'avx2' | 'avx512' | 'avx512_bf16';
  /** Physical cores that this process may use. */
  readonly cores: number;
  /** Threads in use. */
  readonly threads: number;
  /** 0 where the system does not say. */
  readonly cacheBytes: {readonly level1Data: number; readonly level2: number; readonly level3: number};
  /** The machine's memory, or the container's limit. */
  readonly totalMemoryBytes: number;
  readonly availableMemoryBytes: number;
}

/** A CUDA device and what serves it. */
export interface CudaInfo {
  readonly index: number;
  readonly name: string;
  /** E.g. 9 for 9.0, 8.6. */
  readonly computeCapability: number;
  readonly multiprocessors: number;
  /** The most shared memory that a block of threads can have. */
  readonly sharedBytesPerBlock: number;
  readonly totalMemoryBytes: number;
  readonly freeMemoryBytes: number;
  /** The newest CUDA that the driver serves, e.g. `13.0`. */
  readonly driverVersion: string;
  /** The CUDA runtime in the library. */
  readonly runtimeVersion: string;
  /** Devices that the driver finds. */
  readonly deviceCount: number;
}

/** A process among those that were launched together. */
export interface MpiPlace {
  readonly rank: number;
  readonly size: number;
  /** Among the ranks of this machine. */
  readonly localRank: number;
  /** Ranks of this machine that may run on cores of this one's, itself included. */
  readonly coreSharers: number;
}

export interface MemoryUsage {
  /** Bytes in tensors that this process has on the device. Mapped files do not count. */
  readonly bufferBytes: number;
  readonly peakBufferBytes: number;
  /** Bytes that all programs share for their intermediate values. */
  readonly arenaBytes: number;
  readonly peakArenaBytes: number;
}

/** One block of the arena, in use from `firstNode` to `lastNode`. */
export interface PlanRow {
  /** The tensor that the block was made for; -1 for a node's scratch memory. */
  readonly tensor: number;
  readonly firstNode: number;
  readonly lastNode: number;
  readonly offset: number;
  readonly bytes: number;
}

/** What a run of a program needs. */
export interface ProgramPlan {
  /** Bytes of the arena: the memory for all intermediate values. */
  readonly peakBytes: number;
  /** No plan can need less: the most bytes that are live at one time. */
  readonly lowerBoundBytes: number;
  /** What each buffer that is bound at a run must hold, in the layouts of the kernels. */
  readonly inputBytes: readonly number[];
  readonly parameterBytes: readonly number[];
  readonly outputBytes: readonly number[];
  /** For each output the index of the donated input whose buffer is to be bound to it, or -1. */
  readonly outputInputs: readonly number[];
  readonly rows: readonly PlanRow[];
}

export interface Bindings {
  readonly inputs: readonly BufferHandle[];
  readonly parameters: readonly BufferHandle[];
  /** Must share memory with nothing else that is bound, but for the inputs that the plan names. */
  readonly outputs: readonly BufferHandle[];
  readonly profile?: boolean;
  readonly checkNan?: boolean;
}

export interface Addon {
  /**
   * Sets what cannot change later, before anything else is called; a second call must agree with the first.
   */
  configure(options: {
    readonly threads?: number | undefined;
    /** Processes that share the cores of this one, itself included: without `threads` each takes its part. */
    readonly coreSharers?: number | undefined;
    readonly target?: string | undefined;
  }): void;
  systemInfo(): SystemInfo;
  describeOps(device?: DeviceHandle): NativeOp[];
  /**
   * A CUDA device, through the library of that path, which the first call of a process settles.
   * Throws with code `device-unavailable`, and a message that says what is missing.
   */
  openCuda(library: string, index: number): DeviceHandle;
  cudaInfo(device: DeviceHandle): CudaInfo;
  /** Devices that the driver finds, by way of the same library; throws as `openCuda`. */
  countCudaDevices(library: string): number;

  allocate(bytes: number, device?: DeviceHandle): BufferHandle;
  /** Maps a file read-only; it must not be shortened while it is mapped. */
  mapFile(path: string): BufferHandle;
  /** A part of a buffer; it keeps the whole alive. */
  view(buffer: BufferHandle, byteOffset: number, byteLength: number): BufferHandle;
  /**
   * Copies all bytes of `data` into the buffer: at once, and on a device before whatever is begun later. What goes wrong
   * there is told by the first run that reads the buffer.
   */
  write(buffer: BufferHandle, byteOffset: number, data: NodeJS.TypedArray): void;
  /** Fills `data` from a buffer of the host's. */
  read(buffer: BufferHandle, byteOffset: number, data: NodeJS.TypedArray): void;
  /**
   * Copies all of a buffer to the beginning of another, between the host and a device or on one device, in turn with the
   * device's runs. Both may be released at once.
   */
  copy(source: BufferHandle, target: BufferHandle): Promise<void>;
  byteLength(buffer: BufferHandle): number;
  /** Lets the memory go, once no run that was begun needs it; using the handle again is an error. */
  release(buffer: BufferHandle): void;
  memoryUsage(device?: DeviceHandle): MemoryUsage;
  /** Gives the arena back to the system as soon as no run is waiting. */
  trimMemory(device?: DeviceHandle): void;

  compile(description: ProgramDescription, device?: DeviceHandle): ProgramHandle;
  plan(program: ProgramHandle): ProgramPlan;
  /**
   * Runs a program on its device's thread, after those begun before. Resolves with start and end of each node
   * in microseconds on the clock of `process.hrtime()` when `profile` is set.
   */
  run(program: ProgramHandle, bindings: Bindings, token: TokenHandle): Promise<Float64Array | undefined>;
  createToken(): TokenHandle;
  /** The run with this token rejects with code `cancelled`, after the node that it is at. */
  cancel(token: TokenHandle): void;

  /**
   * Joins the processes that were launched together, through the library of that path; once in a process. Resolves when
   * all have come. What is below may be called from then on, and waits for the others to call the same.
   * Throws with code `device-unavailable`, and a message that says what is missing.
   */
  openMpi(library: string): Promise<void>;
  mpiPlace(): MpiPlace;
  /** Sums over all ranks, in place, of float32 in buffers of the host's. */
  sumFloats(buffers: readonly BufferHandle[]): Promise<void>;
  /** Likewise of float64. */
  sumDoubles(buffer: BufferHandle): Promise<void>;
  /** A process that ends before this has resolved ends all others. */
  closeMpi(): Promise<void>;

  /** Of the NCCL that is found, e.g. `2.28.3`; null where there is none. The first call opens its library, a large one. */
  ncclVersion(device: DeviceHandle): string | null;
  /** A name for one group, which all its members must be told. Throws with code `device-unavailable` without NCCL. */
  nameGroup(device: DeviceHandle): Uint8Array;
  createGroup(device: DeviceHandle): GroupHandle;
  /** Resolves when `size` processes have joined, with a rank each. What is below waits for the others to call the same. */
  joinGroup(group: GroupHandle, name: Uint8Array, rank: number, size: number): Promise<void>;
  /** Replaces float32 buffers of the device by their sums over the group, in turn with the device's runs. */
  sumOverGroup(group: GroupHandle, buffers: readonly BufferHandle[]): Promise<void>;
  leaveGroup(group: GroupHandle): Promise<void>;
}

/** Shape and dtype of a tensor. */
export interface TensorInfo {
  readonly shape: readonly number[];
  readonly dtype: DType;
}
