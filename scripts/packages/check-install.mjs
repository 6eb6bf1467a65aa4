#!/usr/bin/env node
// Installs the tarballs of make-packages.mjs into an empty project, with install scripts off, and uses them there in every
// way that is supported: first picture, ES modules, CommonJS, threads, bundles, types.
//
//   node scripts/packages/check-install.mjs [--packages packages]
import {spawnSync} from 'node:child_process';
import {mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import os from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {platforms, scope} from './platforms.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const require = createRequire(import.meta.url);
const {values} = parseArgs({options: {packages: {type: 'string', default: path.join(root, 'packages')}}});

const {version} = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const libc = process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl';
const platform = platforms.find(
  ({limits}) =>
    limits.os.includes(process.platform) &&
    limits.cpu.includes(process.arch) &&
    (limits.libc ?? [libc]).includes(libc),
);
const tarballs = ['ip-adapter-instruct', `ip-adapter-instruct-${platform.name}`].map(name =>
  path.resolve(values.packages, `${name}-${version}.tgz`),
);

// A kernel with a known answer: means of ones are ones.
const attention = [
  'const ones = {shape: [1, 4, 16], data: new Float32Array(64).fill(1)};',
  'fusedAttention({query: ones, key: ones, value: ones}, {heads: 2}).then(({data}) => {',
  "  if (data.length !== 64 || data.some(value => Math.abs(value - 1) > 1e-5)) throw new Error('wrong');",
  '});',
];

// Without what a user's machine has not.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(IPAI|npm)_/.test(name)));
const project = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'ipai-install-'));
const addon = path.join(project, 'node_modules', scope, platform.name, platform.main);
try {
  firstPicture();
  modules();
  bundles();
  types();
} finally {
  rmSync(project, {recursive: true});
}

/** Runs a command in the project and prints how long it took; it must end well, or with an error that says `refusal`. */
function run(what, [command, ...args], {refusal, environment} = {}) {
  const began = Date.now();
  const {status, stdout, stderr} = spawnSync(command, args, {
    cwd: project,
    env: {...env, ...environment},
    encoding: 'utf8',
  });
  console.log(`${what.padEnd(44)} ${((Date.now() - began) / 1000).toFixed(1).padStart(5)} s`);
  const isRight = refusal === undefined ? status === 0 : status !== 0 && refusal.test(stderr);
  if (isRight) return stdout;
  throw new Error(`${[command, ...args].join(' ')} ended with ${status}:\n${stdout}${stderr}`);
}

function write(name, ...lines) {
  writeFileSync(path.join(project, name), `${lines.join('\n')}\n`);
}

/** Three commands from an empty folder to a picture. */
function firstPicture() {
  const reference = name => path.join(root, 'test', 'fixtures', 'reference', name);
  run('npm init', ['npm', 'init', '--yes']);
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  run('npm install --ignore-scripts', ['npm', 'install', ...quiet, ...tarballs]);
  run('npx ipai generate', [
    ...['npx', 'ipai', 'generate', '--model', reference('model'), '--prompt', 'a fox', '--output', 'fox.png'],
    ...['--adapter', reference('ip-adapter-instruct.safetensors'), '--adapter-heads', '2'],
    ...['--image-encoder', reference('image_encoder'), '--ip-adapter-image', reference('condition.png')],
    ...['--instruction', 'use the style', '--steps', '2', '--height', '64', '--width', '64'],
  ]);
  if (!readdirSync(project).includes('fox.png')) throw new Error('no picture was written');
  const report = JSON.parse(run('npx ipai doctor', ['npx', 'ipai', 'doctor', '--json']));
  if (report.addon !== addon || report.version !== version) {
    throw new Error(
      `doctor tells of ${report.addon}, version ${report.version}; expected ${addon}, ${version}`,
    );
  }
}

function modules() {
  write('module.mjs', "import {fusedAttention} from 'ip-adapter-instruct';", ...attention);
  run('ES module', ['node', 'module.mjs']);
  write('common.cjs', "const {fusedAttention} = require('ip-adapter-instruct');", ...attention);
  run('CommonJS', ['node', 'common.cjs']);
  write(
    'threads.mjs',
    "import {once} from 'node:events';",
    "import {Worker} from 'node:worker_threads';",
    "const file = new URL('module.mjs', import.meta.url);",
    'const inThread = () => once(new Worker(file), "exit");',
    'const codes = [await inThread(), ...(await Promise.all([inThread(), inThread()]))].flat();',
    "if (codes.some(code => code !== 0)) throw new Error('a thread failed');",
  );
  run('a worker thread, then two at once', ['node', 'threads.mjs']);
}

/** The package stays outside of bundles; inside of one it works where it is told the addon's place. */
function bundles() {
  const esbuild = path.join(path.dirname(require.resolve('esbuild/package.json')), 'bin', 'esbuild');
  const bundle = [esbuild, 'module.mjs', '--bundle', '--platform=node', '--log-level=error'];
  const outside = '--external:ip-adapter-instruct';
  run('esbuild, the package outside', [...bundle, outside, '--format=esm', '--outfile=outside.mjs']);
  run('  runs', ['node', 'outside.mjs']);
  run('esbuild, the package inside', [...bundle, '--external:sharp', '--outfile=inside.cjs']);
  run('  says what to do', ['node', 'inside.cjs'], {refusal: /Leave the package out of the bundle/});
  run('  runs with IPAI_BINARY_PATH', ['node', 'inside.cjs'], {environment: {IPAI_BINARY_PATH: addon}});
}

function types() {
  write(
    'consumer.ts',
    "import {IPAdapterInstructPipeline, type GenerateOptions} from 'ip-adapter-instruct';",
    "const options: GenerateOptions = {prompt: 'a fox', instruction: 'use the style'};",
    'export async function width(): Promise<number> {',
    "  const pipeline = await IPAdapterInstructPipeline.random({size: 'tiny'});",
    '  const {images} = await pipeline.generate(options);',
    '  return images[0]!.image!.width;',
    '}',
  );
  const tsc = require.resolve('typescript/bin/tsc');
  const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022'];
  const nodeTypes = ['--types', 'node', '--typeRoots', path.join(root, 'node_modules', '@types')];
  for (const [resolution, module] of [
    ['node16', 'node16'],
    ['bundler', 'esnext'],
  ]) {
    const how = ['--moduleResolution', resolution, '--module', module];
    run(`types, ${resolution}`, ['node', tsc, 'consumer.ts', ...strict, ...nodeTypes, ...how]);
  }
}
