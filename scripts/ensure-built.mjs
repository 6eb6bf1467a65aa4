#!/usr/bin/env node
// Builds what is missing or older than its sources: the addon with CMake, dist/ with tsup, and with --for-tests the
// emulated CUDA library. Quick when all is fresh.
import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {buildEmulatedCuda} from './build-emulated-cuda.mjs';
import {buildNative} from './build-native.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Time of the newest change of a file, or of a folder and everything in it. */
function newestChange(entry) {
  const file = path.join(root, entry);
  const stats = statSync(file);
  if (!stats.isDirectory()) return stats.mtimeMs;
  const children = readdirSync(file).map(name => newestChange(path.join(entry, name)));
  return Math.max(stats.mtimeMs, ...children);
}

/**
 * Runs `build` unless `product` exists and the last successful build began after the last change of the
 * sources. The product's own time does not serve: a build that finds nothing to do leaves it as it was.
 */
function ensure({name, product, sources, build}) {
  const stamp = path.join(root, 'build', `${name}.stamp`);
  const isFresh =
    existsSync(path.join(root, product)) &&
    existsSync(stamp) &&
    statSync(stamp).mtimeMs >= Math.max(...sources.map(newestChange));
  if (isFresh) return 0;
  const began = new Date();
  const status = build();
  if (status !== 0) return status;
  mkdirSync(path.dirname(stamp), {recursive: true});
  writeFileSync(stamp, '');
  utimesSync(stamp, began, began);
  return 0;
}

function buildJavaScript() {
  const tsup = createRequire(import.meta.url).resolve('tsup/dist/cli-default.js');
  return spawnSync(process.execPath, [tsup], {cwd: root, stdio: ['ignore', 'ignore', 'inherit']}).status ?? 1;
}

process.exitCode =
  ensure({
    name: 'native',
    product: 'build/Release/ip_adapter_instruct.node',
    sources: ['native', 'CMakeLists.txt'],
    build: buildNative,
  }) ||
  ensure({
    name: 'javascript',
    product: 'dist/index.js',
    sources: ['lib', 'tsup.config.ts', 'package.json'],
    build: buildJavaScript,
  }) ||
  (process.argv.includes('--for-tests')
    ? ensure({
        name: 'emulated-cuda',
        product: 'build/emulated-cuda/libipai_cuda_emulated.so',
        sources: ['native', 'test/native/cuda', 'CMakeLists.txt'],
        build: buildEmulatedCuda,
      })
    : 0);
