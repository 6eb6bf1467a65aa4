#!/usr/bin/env node
// Stands in for node-gyp when prebuildify asks for a build (packages/prebuild.mjs). node-gyp would fetch the headers of
// a version of Node.js, and empty build/ first; Node-API addons do not depend on the version, so that of prebuildify's
// options only --arch counts.
const {spawnSync} = require('node:child_process');
const path = require('node:path');

const arch = process.argv.find(argument => argument.startsWith('--arch='));
const script = path.join(__dirname, 'build-native.mjs');
const {status} = spawnSync(process.execPath, [script, ...(arch ? [arch] : [])], {stdio: 'inherit'});
process.exitCode = status ?? 1;
