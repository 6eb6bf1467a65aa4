#!/usr/bin/env node
// Builds the native addon with CMake (through cmake-js) into build/Release/ip_adapter_instruct.node.
//
//   node scripts/build-native.mjs [--out build] [--arch x64] [--copy-to folder]
import {spawnSync} from 'node:child_process';
import {copyFileSync, mkdirSync} from 'node:fs';
import {createRequire} from 'node:module';
import os from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {withBuildLock} from './build-lock.mjs';
import {missingTools} from './missing-tools.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const addonName = 'ip_adapter_instruct.node';

/**
 * Builds into the folder `out`, copies the addon to the folder `copyTo` if given, and returns the exit
 * status.
 */
export function buildNative({out = 'build', arch = process.arch, copyTo} = {}) {
  const problem = missingTools();
  if (problem !== undefined) {
    console.error(problem);
    return 1;
  }
  const cmakeJs = createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js');
  const jobs = String(os.availableParallelism());
  const folder = path.resolve(root, out);
  mkdirSync(folder, {recursive: true});
  return withBuildLock(path.join(folder, 'build.lock'), () => {
    const options = ['--log-level=warn', `--directory=${root}`, `--out=${folder}`, `--arch=${arch}`];
    const run = command => {
      const args = [cmakeJs, command, ...options, `--parallel=${jobs}`];
      return spawnSync(process.execPath, args, {stdio: 'inherit'}).status ?? 1;
    };
    // Configured anew, as an MPI may have been installed since.
    const status = run('configure') || run('build');
    if (status === 0 && copyTo !== undefined) {
      mkdirSync(copyTo, {recursive: true});
      copyFileSync(path.join(folder, 'Release', addonName), path.join(copyTo, addonName));
    }
    return status;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const string = {type: 'string'};
  const {values} = parseArgs({options: {out: string, arch: string, 'copy-to': string}});
  process.exitCode = buildNative({...values, copyTo: values['copy-to']});
}
