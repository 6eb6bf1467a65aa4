#!/usr/bin/env node
// Formats the C++ sources with clang-format; with --check, only tells which are not formatted.
import {spawnSync} from 'node:child_process';
import {readdirSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {hasCommand} from './missing-tools.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const files = ['native', 'test/native'].flatMap(folder =>
  readdirSync(path.join(root, folder), {recursive: true})
    .filter(name => /\.(h|cpp|cu)$/.test(name))
    .map(name => path.join(folder, name)),
);

if (hasCommand('clang-format')) {
  const mode = process.argv.includes('--check') ? ['--dry-run', '-Werror'] : ['-i'];
  const {status} = spawnSync('clang-format', [...mode, ...files], {cwd: root, stdio: 'inherit'});
  process.exitCode = status ?? 1;
} else {
  console.error(
    'clang-format is missing: install it with your system (Debian: sudo apt-get install clang-format).',
  );
  process.exitCode = 1;
}
