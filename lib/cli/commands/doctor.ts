import {Command} from '@commander-js/extra-typings';
import {IPAdapterError} from '../../errors.ts';
import {formatBytes} from '../../inspect/format.ts';
import {openDevice} from '../../runtime/device.ts';
import {addonPath} from '../../runtime/load-addon.ts';
import {packageVersion} from '../package-folder.ts';

export function doctorCommand() {
  return new Command('doctor')
    .description('say what this machine is and what can run on it')
    .option('--json', 'print one JSON object')
    .action(({json}) => {
      const report = examine();
      process.stdout.write(json ? `${JSON.stringify(report)}\n` : asText(report));
    });
}

interface DeviceReport {
  readonly device: string;
  readonly available: boolean;
  /** Why it cannot be had. */
  readonly reason?: string;
}

function examine() {
  const {platform, arch, version} = process;
  const cpu = openDevice('cpu');
  return {
    version: packageVersion(),
    node: version,
    platform: `${platform}-${arch}`,
    addon: addonPath(),
    ...cpu.systemInfo(),
    devices: ['cpu', 'cuda'].map(probe),
  };
}

function probe(device: string): DeviceReport {
  try {
    openDevice(device as 'cpu' | 'cuda');
    return {device, available: true};
  } catch (error) {
    if (!(error instanceof IPAdapterError)) throw error;
    return {device, available: false, reason: error.message};
  }
}

function asText(report: ReturnType<typeof examine>): string {
  const {cacheBytes} = report;
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
    ...report.devices.map(({device, available, reason}) => [device, available ? 'available' : reason!]),
  ];
  return rows.map(([name, value]) => `${name!.padEnd(10)} ${value}\n`).join('');
}
