#!/usr/bin/env node
// Makes of prebuilds/ and dist/ the packages that are published, packs them, prints their sizes, and fails where one is
// too big or asks too much of a machine.
//
//   node scripts/packages/make-packages.mjs [--prebuilds prebuilds] [--out packages] [--release]
//
// --release: every platform must be there, with libraries that run on old systems, and GITHUB_SERVER_URL and
// GITHUB_REPOSITORY say where the sources are, which provenance is checked against.
import {execFileSync} from 'node:child_process';
import {copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {libraryProblems, requirements} from './check-library.mjs';
import {mainManifest, platformManifest, platformReadme} from './manifests.mjs';
import {cuda, glibcFloor, mainMaxMegabytes, platforms} from './platforms.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const {values} = parseArgs({
  options: {
    prebuilds: {type: 'string', default: path.join(root, 'prebuilds')},
    out: {type: 'string', default: path.join(root, 'packages')},
    release: {type: 'boolean', default: false},
  },
});
const prebuilds = path.resolve(values.prebuilds);
const out = path.resolve(values.out);
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
if (values.release) {
  const {GITHUB_SERVER_URL, GITHUB_REPOSITORY} = process.env;
  if (!GITHUB_SERVER_URL || !GITHUB_REPOSITORY) {
    fail(['a release needs GITHUB_SERVER_URL and GITHUB_REPOSITORY']);
  }
  manifest.repository = {type: 'git', url: `git+${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}.git`};
}

const isThere = ({file}) => existsSync(path.join(prebuilds, file));
const missing = [...platforms, cuda].filter(platform => !isThere(platform));
const present = platforms.filter(isThere);
if (present.length === 0 || (values.release && missing.length > 0)) {
  fail(missing.map(({file}) => `${path.join(prebuilds, file)} is not there`));
}

rmSync(out, {recursive: true, force: true});
const packages = [...present, ...(isThere(cuda) ? [cuda] : [])].map(makePlatformPackage);
// Last, as it is published when all that it names is there.
packages.push(makeMainPackage());
pack(packages);

function makePlatformPackage(platform) {
  const {name, file, main, maxMegabytes} = platform;
  const source = path.join(prebuilds, file);
  if (platform.limits.os.includes('linux')) checkLibrary(source);
  const folder = path.join(out, name);
  mkdirSync(folder, {recursive: true});
  copyFileSync(source, path.join(folder, main));
  copyFileSync(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'));
  writeFileSync(path.join(folder, 'README.md'), platformReadme(platform));
  writeManifest(folder, platformManifest(platform, manifest));
  return {folder, maxMegabytes};
}

function checkLibrary(file) {
  const found = requirements(file);
  console.log(`${path.relative(prebuilds, file)}: needs ${describe(found)}`);
  const problems = libraryProblems(found, values.release ? glibcFloor : undefined);
  if (problems.length > 0) fail(problems.map(problem => `${file} ${problem}`));
}

function describe({libraries, glibc}) {
  return glibc === undefined ? libraries.join(', ') : `glibc ${glibc} or newer (${libraries.join(', ')})`;
}

function makeMainPackage() {
  const folder = path.join(out, manifest.name);
  const [{files}] = npm(['pack', '--dry-run', '--json', '--ignore-scripts'], root);
  for (const {path: file} of files) {
    const target = path.join(folder, file);
    mkdirSync(path.dirname(target), {recursive: true});
    copyFileSync(path.join(root, file), target);
  }
  const names = present.map(({name}) => name);
  writeManifest(folder, mainManifest(manifest, names));
  return {folder, maxMegabytes: mainMaxMegabytes};
}

function writeManifest(folder, content) {
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(content, null, 2)}\n`);
}

function pack(packages) {
  const folders = packages.map(({folder}) => folder);
  const tarballs = npm(['pack', '--json', '--ignore-scripts', '--pack-destination', out, ...folders], root);
  const megabytes = bytes => (bytes / 1e6).toFixed(1).padStart(6);
  const problems = [];
  for (const [i, {name, filename, size, unpackedSize, entryCount}] of tarballs.entries()) {
    const sizes = `${megabytes(size)} MB packed ${megabytes(unpackedSize)} MB unpacked`;
    console.log(`${name.padEnd(36)} ${sizes}, ${entryCount} files: ${filename}`);
    const {maxMegabytes} = packages[i];
    if (size > maxMegabytes * 1e6) {
      problems.push(`${filename} has ${megabytes(size).trim()} MB, expected ${maxMegabytes} at most`);
    }
  }
  if (problems.length > 0) fail(problems);
}

function npm(args, cwd) {
  return JSON.parse(execFileSync('npm', args, {cwd, encoding: 'utf8', maxBuffer: 1 << 28}));
}

function fail(problems) {
  console.error(problems.map(problem => `${problem}.`).join('\n'));
  process.exit(1);
}
