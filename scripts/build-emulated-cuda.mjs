#!/usr/bin/env node
// Builds libipai_cuda_emulated.so in build/emulated-cuda/, which tests of the CUDA device open: the kernels as host C++
// behind the interface of libipai_cuda.so. Needs no CUDA.
import {spawnSync} from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {hasCommand, missingTools} from './missing-tools.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Returns the exit status. */
export function buildEmulatedCuda() {
  const problem = missingTools();
  if (problem !== undefined) {
    console.error(problem);
    return 1;
  }
  const folder = path.join(root, 'build', 'emulated-cuda');
  const run = args =>
    spawnSync('cmake', args, {cwd: root, stdio: ['ignore', 'ignore', 'inherit']}).status ?? 1;
  const generator = hasCommand('ninja') ? ['-G', 'Ninja'] : [];
  const jobs = String(os.availableParallelism());
  return (
    run(['-S', root, '-B', folder, ...generator, '-DIPAI_BUILD_TESTS=ON']) ||
    run(['--build', folder, '--target', 'ipai_cuda_emulated', '--parallel', jobs])
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = buildEmulatedCuda();
