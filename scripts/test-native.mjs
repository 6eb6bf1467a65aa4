#!/usr/bin/env node
// Builds and runs the native tests (doctest), which need no Node.js addon, and those of the CUDA kernels, which need no
// CUDA.
//
//   node scripts/test-native.mjs [--sanitize address,undefined|thread] [-- doctest options]
import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import os from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {hasCommand, missingTools} from './missing-tools.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

function run(command, args) {
  const {status} = spawnSync(command, args, {cwd: root, stdio: 'inherit'});
  if (status !== 0) process.exit(status ?? 1);
}

/** Runs a program beside others; its output follows at its end, in one piece. Resolves to its exit status. */
async function runBeside(command, args) {
  const child = spawn(command, args, {cwd: root, stdio: ['ignore', 'pipe', 'pipe']});
  const chunks = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => chunks.push(chunk));
  const [status] = await once(child, 'close');
  process.stdout.write(Buffer.concat(chunks));
  return status ?? 1;
}

const {values, positionals} = parseArgs({
  options: {sanitize: {type: 'string', default: ''}},
  allowPositionals: true,
});
const problem = missingTools();
if (problem !== undefined) {
  console.error(problem);
  process.exit(1);
}
const folder = path.join(root, `build-test${values.sanitize && `-${values.sanitize.replace(',', '-')}`}`);
const generator = hasCommand('ninja') ? ['-G', 'Ninja'] : [];
const options = ['-DIPAI_BUILD_TESTS=ON', `-DIPAI_SANITIZE=${values.sanitize}`];
run('cmake', ['-S', root, '-B', folder, ...generator, ...options]);
run('cmake', ['--build', folder, '--parallel', String(os.availableParallelism())]);
// ThreadSanitizer cannot follow the fibers on which kernels are run.
const programs = values.sanitize === 'thread' ? ['native_tests'] : ['native_tests', 'native_cuda_tests'];
const results = programs.map(name => runBeside(path.join(folder, name), positionals));
for (const status of await Promise.all(results)) if (status !== 0) process.exit(status);
