import {formatBytes} from './format.ts';
import {table} from './table.ts';
import type {WeightsReport} from './weights-report.ts';

/** A report as text; all tensors too where asked for. */
export function weightsText(report: WeightsReport, {listTensors = false} = {}): string {
  const {path, kind, dtypes, parameters, bytes, adapter, tensors} = report;
  const counts = Object.entries(dtypes).map(([dtype, count]) => `${count} ${dtype}`);
  const lines = [
    path,
    `  ${kind}`,
    `  ${tensors.length} tensors (${counts.join(', ')}), ${parameters.toLocaleString('en')} parameters, ${formatBytes(bytes)}`,
  ];
  if (adapter !== undefined) lines.push(`  ${describe(adapter)}`);
  if (listTensors) {
    const rows = tensors.map(({name, dtype, shape}) => [name, dtype, `[${shape.join(', ')}]`]);
    lines.push(table(['tensor', 'dtype', 'shape'], rows));
  }
  return lines.join('\n');
}

function describe(values: object): string {
  return Object.entries(values)
    .filter(([name]) => name !== 'kind')
    .map(([name, value]) => (typeof value === 'object' ? `${name} (${describe(value)})` : `${name} ${value}`))
    .join(', ');
}
