#!/usr/bin/env node
// Builds the native addon with CMake (through cmake-js) into build/Release/ip_adapter_instruct.node.
//
//   node scripts/build-native.mjs [--out build] [--arch x64]
import {spawnSync} from 'node:child_process';
import {accessSync, constants, mkdirSync} from 'node:fs';
import {createRequire} from 'node:module';
import os from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {withBuildLock} from './build-lock.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Whether one of the commands is on the PATH. */
function hasCommand(...names) {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return names.some(name => folders.some(folder => isExecutable(path.join(folder, name))));
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** One message that names what is missing and how to get it; undefined when all is there. */
export function missingTools() {
  const missing = [];
  if (!process.env.CXX && !hasCommand('c++', 'g++', 'clang++')) missing.push('a C++17 compiler');
  if (!hasCommand('cmake')) missing.push('CMake 3.18 or newer');
  if (!hasCommand('ninja', 'make')) missing.push('make or ninja');
  if (missing.length === 0) return undefined;
  return [
    `Building ip-adapter-instruct needs ${missing.join(', ')}. Install with`,
    '  Debian, Ubuntu:  sudo apt-get install g++ cmake make',
    '  Fedora:          sudo dnf install gcc-c++ cmake make',
    '  Alpine:          apk add g++ cmake make linux-headers',
    '  macOS:           xcode-select --install && brew install cmake',
  ].join('\n');
}

/** Builds into `out`; returns the exit status. */
export function buildNative({out = 'build', arch = process.arch} = {}) {
  const problem = missingTools();
  if (problem !== undefined) {
    console.error(problem);
    return 1;
  }
  const cmakeJs = createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js');
  const jobs = String(os.availableParallelism());
  const folder = path.resolve(root, out);
  mkdirSync(folder, {recursive: true});
  return withBuildLock(path.join(folder, '.lock'), () => {
    const args = ['build', '--directory', root, '--out', folder, '--arch', arch, '--parallel', jobs];
    return spawnSync(process.execPath, [cmakeJs, ...args], {stdio: 'inherit'}).status ?? 1;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const {values} = parseArgs({options: {out: {type: 'string'}, arch: {type: 'string'}}});
  process.exitCode = buildNative(values);
}
