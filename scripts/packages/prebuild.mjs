#!/usr/bin/env node
// Builds the addon for this machine and puts it into prebuilds/, by prebuildify. A CUDA library that
// scripts/build-cuda.mjs has left beside the addon comes along.
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import prebuildify from 'prebuildify';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

await promisify(prebuildify)({
  cwd: root,
  napi: true,
  strip: true,
  // The C library is in the name where there are two.
  tagLibc: process.platform === 'linux',
  nodeGyp: path.join(root, 'scripts', 'gyp-shim.cjs'),
});
