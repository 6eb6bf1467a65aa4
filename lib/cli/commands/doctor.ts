import {Command} from '@commander-js/extra-typings';
import {IPAdapterError} from '../../errors.ts';
import {formatBytes} from '../../inspect/format.ts';
import {type ComputeDType, computeDType} from '../../pipelines/compute-dtype.ts';
import {type Device, type DeviceInfo, type DeviceSpec, openDevice} from '../../runtime/device.ts';
import {findCudaLibrary} from '../../runtime/find-cuda-library.ts';
import {addonPath} from '../../runtime/load-addon.ts';
import {ownPackage} from '../../runtime/own-package.ts';

export function doctorCommand() {
  return new Command('doctor')
    .description(
      'say what this machine is and what can run on it; exit with 1 where the device cannot be had',
    )
    .option('--device <device>', 'auto, cpu, cuda or cuda:N (default: auto)', text => text as DeviceSpec)
    .option('--json', 'print one JSON object')
    .action(({json, device = 'auto'}) => {
      const report = examine(device);
      process.stdout.write(json ? `${JSON.stringify(report)}\n` : asText(report));
      if (report.chosen === null) process.exitCode = 1;
    });
}

interface DeviceReport {
  readonly device: string;
  readonly available: boolean;
  /** Why it cannot be had. */
  readonly reason?: string;
  /** The CUDA library that serves it. */
  readonly library?: string;
  readonly cuda?: DeviceInfo['cuda'];
  /** Ops that only the processor has kernels for. */
  readonly missingOps?: readonly string[];
  /** Of NCCL, by which GPUs that train together sum; null where there is none, and they sum by way of the host. */
  readonly ncclVersion?: string | null;
}

/** What a pipeline takes that asks for a device and for no dtype. */
interface Chosen {
  readonly device: string;
  readonly dtype: ComputeDType;
}

function examine(wanted: DeviceSpec) {
  const {platform, arch, version} = process;
  const cpu = openDevice('cpu');
  return {
    version: ownPackage()?.version ?? 'unknown',
    node: version,
    platform: `${platform}-${arch}`,
    addon: addonPath(),
    ...cpu.systemInfo(),
    devices: [{device: 'cpu', available: true}, examineCuda(cpu, cudaAmong(wanted))],
    wanted,
    chosen: choose(wanted),
  };
}

/** The CUDA device that is looked at: the one that is asked for, or the first. */
function cudaAmong(wanted: DeviceSpec): DeviceSpec {
  return wanted.startsWith('cuda') ? wanted : 'cuda';
}

function examineCuda(cpu: Device, spec: DeviceSpec): DeviceReport {
  try {
    const device = openDevice(spec);
    const opsOf = ({addon, handle}: Device) => addon.describeOps(handle).map(({name}) => name);
    const ops = new Set(opsOf(device));
    return {
      device: spec,
      available: true,
      library: findCudaLibrary(),
      cuda: device.systemInfo().cuda,
      missingOps: opsOf(cpu).filter(name => !ops.has(name)),
      ncclVersion: device.addon.ncclVersion(device.handle!),
    };
  } catch (error) {
    if (!(error instanceof IPAdapterError)) throw error;
    return {device: spec, available: false, reason: error.message};
  }
}

function choose(wanted: DeviceSpec): Chosen | null {
  try {
    const device = openDevice(wanted);
    return {device: device.name, dtype: computeDType(undefined, device)};
  } catch (error) {
    // A name that is none is the caller's mistake, and told as such.
    if (!(error instanceof IPAdapterError) || error.code === 'invalid-argument') throw error;
    return null;
  }
}

function asText(report: ReturnType<typeof examine>): string {
  const {cacheBytes, chosen} = report;
  const caches = [cacheBytes.level1Data, cacheBytes.level2, cacheBytes.level3].map(formatBytes).join(', ');
  const rows = [
    ['package', `ip-adapter-instruct ${report.version}`],
    ['node', `${report.node}, ${report.platform}`],
    ['addon', report.addon],
    ['processor', report.cpuModel || 'unknown'],
    ['features', report.cpuFeatures.join(' ') || 'none that kernels use'],
    ['kernels', report.cpuTarget],
    ['threads', `${report.threads} on ${report.cores} cores`],
    ['caches', caches],
    ['memory', `${formatBytes(report.availableMemoryBytes)} free of ${formatBytes(report.totalMemoryBytes)}`],
    ...report.devices.flatMap(deviceRows),
    [
      'chosen',
      chosen === null ? `none: ${report.wanted} cannot be had` : `${chosen.device}, dtype ${chosen.dtype}`,
    ],
  ];
  return rows.map(([name, value]) => `${name!.padEnd(10)} ${value}\n`).join('');
}

function deviceRows({device, reason, library, cuda, missingOps = [], ncclVersion}: DeviceReport): string[][] {
  if (reason !== undefined) return [[device, reason]];
  if (cuda === undefined) return [[device, 'available']];
  const capability = cuda.computeCapability.toFixed(1);
  const memory = `${formatBytes(cuda.freeMemoryBytes)} free of ${formatBytes(cuda.totalMemoryBytes)}`;
  const all = missingOps.length === 0 ? 'for all ops' : `for all ops but ${missingOps.join(', ')}`;
  return [
    [device, `${cuda.name}, device ${cuda.index} of ${cuda.deviceCount}`],
    ['', `compute capability ${capability}, ${cuda.multiprocessors} multiprocessors, ${memory}`],
    ['', `driver for CUDA ${cuda.driverVersion}, runtime ${cuda.runtimeVersion}`],
    ['', `kernels ${all}, from ${library}`],
    ['', ncclVersion ? `NCCL ${ncclVersion}` : 'no NCCL: GPUs that train together sum on the host'],
  ];
}
