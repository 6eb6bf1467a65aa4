#!/usr/bin/env node
// Builds and runs the native tests (doctest), which need no Node.js addon, and those of the CUDA kernels, which need no
// CUDA.
//
//   node scripts/test-native.mjs [--sanitize address,undefined|thread] [-- doctest options]
import {spawnSync} from 'node:child_process';
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
run(path.join(folder, 'native_tests'), positionals);
// ThreadSanitizer cannot follow the fibers on which kernels are run.
if (values.sanitize !== 'thread') run(path.join(folder, 'native_cuda_tests'), positionals);
