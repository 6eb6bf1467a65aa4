#!/usr/bin/env node
// Builds libipai_cuda.so in build-cuda/; needs the CUDA toolkit. Options go to the build tool: node
// scripts/build-cuda.mjs -j1
import {spawnSync} from 'node:child_process';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {hasCommand} from './missing-tools.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const folder = path.join(root, 'build-cuda');

function run(command, args) {
  const {status} = spawnSync(command, args, {cwd: root, stdio: 'inherit'});
  if (status !== 0) process.exit(status ?? 1);
}

const generator = hasCommand('ninja') ? ['-G', 'Ninja'] : [];
run('cmake', ['-S', root, '-B', folder, ...generator, '-DIPAI_BUILD_CUDA=ON']);
run('cmake', ['--build', folder, '--target', 'ipai_cuda', ...process.argv.slice(2)]);
