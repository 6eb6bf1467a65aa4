/**
 * Writes the tables of bench/RESULTS.md, below its text, from the reports in bench/results.
 *
 *   npx tsx bench/write-results.ts
 */
import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import type {Machine} from './machine.ts';
import {type BenchReport, cellsOf, headOfRows} from './report.ts';

const folder = path.dirname(fileURLToPath(import.meta.url));
const page = path.join(folder, 'RESULTS.md');
const marker = '<!-- Below: written by bench/write-results.ts -->';

/** Reports of other programs than run.ts have the machine, and rows of their own. */
type AnyReport = Pick<BenchReport, 'machine'> & {readonly rows: readonly object[]} & Partial<BenchReport>;

function section(file: string): string {
  const report: AnyReport = JSON.parse(readFileSync(path.join(folder, 'results', file), 'utf8'));
  const {machine, peak} = report;
  const isBench = peak !== undefined;
  const lines = [
    `## ${file.replace(/\.json$/, '')}`,
    '',
    describe(machine),
    ...(isBench
      ? [
          `Peak measured in the same run: ${peak.fmaGflops} GFLOP/s in float32, ${peak.bf16Gflops} in bfloat16, ` +
            `${peak.bandwidthGBs} GB/s.`,
        ]
      : []),
    '',
    ...(isBench
      ? markdownTable(headOfRows, (report as BenchReport).rows.map(cellsOf))
      : plainTable(report.rows)),
  ];
  return lines.join('\n');
}

function describe(machine: Machine): string {
  const {cuda} = machine;
  if (cuda !== undefined) {
    return (
      `${machine.date.slice(0, 10)}: ${cuda.name}, ${cuda.multiprocessors} multiprocessors, CUDA ${cuda.runtimeVersion}, driver for ` +
      `${cuda.driverVersion}; ${machine.cpuModel}, ${machine.cores} cores, Node.js ${machine.node}, PyTorch ${machine.torch ?? 'absent'}.`
    );
  }
  const {date, cpuModel, cpuTarget, cores, threads, memoryBytes, os, node, torch, loadBefore} = machine;
  const memory = `${(memoryBytes / 2 ** 30).toFixed(0)} GiB`;
  return (
    `${date.slice(0, 10)}: ${cpuModel}, ${cores} cores (${cpuTarget}), ${threads} threads, ${memory}, ${os}, ` +
    `Node.js ${node}, PyTorch ${torch ?? 'absent'}; load before ${loadBefore.toFixed(2)}.`
  );
}

/** Rows of any shape, with their keys as the head. */
function plainTable(rows: readonly object[]): string[] {
  const cells = rows.map(row => Object.values(row).map(cell));
  return markdownTable(Object.keys(rows[0] ?? {}), cells);
}

function cell(value: unknown): string {
  if (value === null) return '-';
  return typeof value === 'number' && !Number.isInteger(value) ? value.toPrecision(4) : String(value);
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`);
}

const files = readdirSync(path.join(folder, 'results')).filter(file => file.endsWith('.json'));
const [text] = readFileSync(page, 'utf8').split(marker);
writeFileSync(page, `${[`${text}${marker}`, ...files.sort().map(section)].join('\n\n')}\n`);
