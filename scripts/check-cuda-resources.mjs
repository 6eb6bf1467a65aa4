#!/usr/bin/env node
// Prints what the compiler gave each CUDA kernel per architecture (registers, shared memory, stack, spills), from the
// reports that the CUDA build has left, and fails where a kernel spills registers, keeps data in local memory, or waits for
// each product of warpgroups before the next.
import {execFileSync} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

// Kernels off the hot path that may spill, by name without template arguments, each with its reason.
const mayUseLocalMemory = new Map();

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const folder = path.resolve(root, process.argv[2] ?? 'build-cuda');

function demangle(symbols) {
  if (symbols.length === 0) return [];
  const names = execFileSync('c++filt', ['-p'], {input: symbols.join('\n'), encoding: 'utf8'})
    .trimEnd()
    .split('\n');
  return names.map(name =>
    name
      .replaceAll('(anonymous namespace)::', '')
      .replaceAll('ipai::', '')
      .replace(/^void /, ''),
  );
}

function parse(text) {
  const kernels = [];
  for (const line of text.split('\n')) {
    const entry = /Compiling entry function '(\S+)' for '(\S+)'/.exec(line);
    if (entry) kernels.push({symbol: entry[1], architecture: entry[2], shared: 0});
    const kernel = kernels.at(-1);
    if (!kernel) continue;
    const stack = /(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads/.exec(line);
    if (stack) Object.assign(kernel, {stack: Number(stack[1]), spills: Number(stack[2]) + Number(stack[3])});
    const registers = /Used (\d+) registers/.exec(line);
    if (registers) kernel.registers = Number(registers[1]);
    const shared = /(\d+) bytes smem/.exec(line);
    if (shared) kernel.shared = Number(shared[1]);
  }
  return kernels;
}

const reports = readdirSync(folder, {recursive: true}).filter(name => name.endsWith('.ptxas'));
const texts = reports.map(name => readFileSync(path.join(folder, name), 'utf8'));
const kernels = texts.flatMap(parse);
if (kernels.length === 0) {
  console.error(`No reports of kernels in ${folder}: run node scripts/build-cuda.mjs first.`);
  process.exit(1);
}
const names = demangle(kernels.map(({symbol}) => symbol));
const rows = kernels.map((kernel, i) => ({kernel: names[i], ...kernel}));
rows.sort((a, b) => a.kernel.localeCompare(b.kernel) || a.architecture.localeCompare(b.architecture));

const width = Math.max(...rows.map(({kernel}) => kernel.length));
console.log(`${'kernel'.padEnd(width)}  arch    registers  shared  stack  spills`);
for (const {kernel, architecture, registers, shared, stack, spills} of rows) {
  const numbers = [
    String(registers).padStart(9),
    String(shared).padStart(6),
    String(stack).padStart(5),
    String(spills).padStart(6),
  ];
  console.log(`${kernel.padEnd(width)}  ${architecture.padEnd(6)}  ${numbers.join('  ')}`);
}

const offenders = rows.filter(
  ({kernel, stack, spills}) =>
    (stack > 0 || spills > 0) && !mayUseLocalMemory.has(kernel.replace(/<.*/, '').replace(/.*::/, '')),
);
for (const {kernel, architecture, stack, spills} of offenders) {
  console.error(
    `${kernel} on ${architecture}: ${spills} bytes of spills, a stack of ${stack} bytes; expected none.`,
  );
}
const serialized = texts.flatMap(text =>
  text.split('\n').filter(line => /wgmma\S* instructions are serialized/.test(line)),
);
for (const line of serialized) console.error(line);
process.exitCode = offenders.length > 0 || serialized.length > 0 ? 1 : 0;
