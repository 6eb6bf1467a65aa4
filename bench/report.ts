/**
 * Results as rows, as a table, and against earlier ones.
 */
import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {table} from '../lib/inspect/table.ts';
import type {Machine, MachinePeak} from './machine.ts';
import type {Measurement} from './measure.ts';

export interface BenchRow {
  readonly name: string;
  readonly device: string;
  readonly dtype: string;
  readonly shape: string;
  /** Medians of seconds for one run. */
  readonly oursSeconds: number;
  /** Null where PyTorch was not there. */
  readonly pytorchSeconds: number | null;
  /** pytorchSeconds / oursSeconds: our speed in units of PyTorch's. */
  readonly ratio: number | null;
  /** What the arithmetic or the memory traffic takes at the machine's measured peaks. */
  readonly floorSeconds: number;
  readonly ours: Measurement;
  readonly pytorch: Measurement | null;
}

export interface BenchReport {
  readonly machine: Machine;
  readonly peak: MachinePeak;
  readonly rows: readonly BenchRow[];
}

export const headOfRows = [
  'name',
  'dtype',
  'shape',
  'ours ms',
  'PyTorch ms',
  'ratio',
  'floor ms',
  'floor / ours',
];

export function cellsOf(row: BenchRow): string[] {
  const {name, dtype, shape, oursSeconds, pytorchSeconds, ratio, floorSeconds} = row;
  const share = `${((100 * floorSeconds) / oursSeconds).toFixed(0)} %`;
  return [
    name,
    dtype,
    shape,
    milliseconds(oursSeconds),
    milliseconds(pytorchSeconds),
    ratio?.toFixed(2) ?? '-',
    milliseconds(floorSeconds),
    share,
  ];
}

/** Writes a report of any kind as JSON, with the folder that it goes to. */
export function writeReport(
  file: string,
  report: Pick<BenchReport, 'machine'> & {rows: readonly object[]},
): void {
  mkdirSync(path.dirname(path.resolve(file)), {recursive: true});
  writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
}

export function rowsTable(rows: readonly BenchRow[]): string {
  return table(headOfRows, rows.map(cellsOf));
}

/** Four digits, and no fewer than the milliseconds have. */
export function milliseconds(seconds: number | null): string {
  if (seconds === null) return '-';
  const value = 1000 * seconds;
  return value >= 1000 ? value.toFixed(0) : value.toPrecision(4);
}

export interface Comparison {
  readonly text: string;
  /** Cases that take longer by more than the threshold. */
  readonly slower: readonly string[];
}

/**
 * Our times against those of an earlier report.
 *
 * @param threshold share of the earlier time by which a case may be slower
 */
export function compareReports(before: BenchReport, after: BenchReport, threshold: number): Comparison {
  const key = ({name, dtype, shape}: BenchRow) => [name, dtype, shape].join(', ');
  const known = new Map(before.rows.map(row => [key(row), row]));
  const slower: string[] = [];
  const lines = after.rows.flatMap(row => {
    const earlier = known.get(key(row));
    if (earlier === undefined) return [];
    const change = row.oursSeconds / earlier.oursSeconds - 1;
    if (change > threshold) slower.push(key(row));
    return [
      [
        row.name,
        row.dtype,
        row.shape,
        milliseconds(earlier.oursSeconds),
        milliseconds(row.oursSeconds),
        `${change > 0 ? '+' : ''}${(100 * change).toFixed(1)} %`,
        change > threshold ? 'slower' : '',
      ],
    ];
  });
  const title = ['name', 'dtype', 'shape', 'before ms', 'now ms', 'change', ''];
  return {text: table(title, lines), slower};
}
