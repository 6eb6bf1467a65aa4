/**
 * A project in which the documents' samples run as they stand: the package can be imported by its name, `ipai` is a
 * command, and small models and pictures lie where the samples look for them.
 */
import {spawnSync} from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import path from 'node:path';
import sharp, {type OutputInfo} from 'sharp';
import {describeAdapterWeights} from '../../lib/models/ip-adapter.ts';
import {crossAttentionLayers} from '../../lib/models/unet.ts';
import {parseUNetConfig} from '../../lib/models/unet-config.ts';
import {describeNewAdapter} from '../../lib/pipelines/describe-new-adapter.ts';
import {TorchGenerator} from '../../lib/schedulers/torch-generator.ts';
import {writeSafetensors} from '../../lib/weights/write-safetensors.ts';
import {repository} from './doc-samples.ts';
import {inReference} from './reference-paths.ts';

/** What samples call models, and the small ones that lie there. */
const models: Readonly<Record<string, string>> = {
  MODEL: inReference('model'),
  ENCODER: inReference('image_encoder'),
  'models/stable-diffusion-v1-5': inReference('model'),
  'models/image_encoder': inReference('image_encoder'),
  'models/clip-vit-h-14': inReference('image_encoder'),
  'models/clip-text': inReference('instruction_encoder'),
  'models/sd-controlnet-scribble': inReference('controlnet'),
  'models/ip-adapter_sd15.safetensors': inReference('ip-adapter.safetensors'),
  'node_modules/@vladmandic/face-api': path.join(repository, 'node_modules/@vladmandic/face-api'),
  'models/style.safetensors': path.join(repository, 'test/fixtures/lora/peft.safetensors'),
};

/** Adapters with heads of 64 channels and four layers, as published ones: samples, and diffusers, need not be told of them. */
const adapters: Readonly<Record<string, 'instruct' | 'plus'>> = {
  ADAPTER: 'instruct',
  'models/ip-adapter-instruct.safetensors': 'instruct',
  'models/ip-adapter-plus_sd15.safetensors': 'plus',
};

/** Copies of a photograph of a person. */
const photographs = [
  ...['photo.jpg', 'photos/1.jpg', 'ann.jpg', 'bob.jpg', 'a.jpg', 'b.jpg', 'sketch.png'],
  ...['pictures/1.jpg', 'pictures/2.jpg', 'pictures/3.jpg', 'mugs/blue mug/1.jpg', 'mugs/blue mug/2.jpg'],
  ...['people/ann/1.jpg', 'people/ann/2.jpg'],
];

const captions: Readonly<Record<string, string>> = {
  'pictures/1.txt': 'a woman in an orange suit',
  'pictures/2.txt': 'an astronaut before a flag',
  'mugs/blue mug/1.txt': 'a blue mug on a table',
  'mugs/blue mug/2.txt': 'a blue mug on a shelf',
  'people/ann/1.txt': 'a portrait of a woman',
  'people/ann/2.txt': 'a woman who smiles',
};

const require = createRequire(import.meta.url);

export interface DocProject {
  readonly folder: string;
  /** For processes: where `ipai` is a command. */
  readonly env: NodeJS.ProcessEnv;
  remove(): void;
}

export async function makeDocProject(): Promise<DocProject> {
  const folder = mkdtempSync(path.join(realpathSync(tmpdir()), 'ipai-docs-'));
  const modules = path.join(folder, 'node_modules');
  const bin = path.join(modules, '.bin');
  mkdirSync(bin, {recursive: true});
  mkdirSync(path.join(folder, 'samples'));
  writeFileSync(path.join(folder, 'package.json'), '{"type": "module"}\n');
  symlinkSync(repository, path.join(modules, 'ip-adapter-instruct'));
  const command = `#!/bin/sh\nexec '${process.execPath}' '${path.join(repository, 'dist/cli.js')}' "$@"\n`;
  writeFileSync(path.join(bin, 'ipai'), command, {mode: 0o755});
  await writeStandIns(path.join(folder, 'stand-ins'));
  return {
    folder,
    env: environment(bin),
    remove: () => rmSync(folder, {recursive: true}),
  };
}

/** Without what this machine has set for itself, and its proxies. */
function environment(bin: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(IPAI|OPENAI|npm)_/.test(name));
  const PATH = `${bin}${path.delimiter}${process.env['PATH']}`;
  const settings = {IPAI_CUDA_LIBRARY: 'none', IPAI_NUM_THREADS: '1'};
  return {...Object.fromEntries(own), ...settings, PATH, NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1'};
}

async function writeStandIns(folder: string): Promise<void> {
  const place = (name: string) => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), {recursive: true});
    return file;
  };
  for (const [name, target] of Object.entries(models)) symlinkSync(target, place(name));
  for (const [name, kind] of Object.entries(adapters)) await writeAdapter(place(name), kind);
  const photograph = sharp(path.join(repository, 'assets/astronaut.png')).resize(256, 256);
  for (const name of photographs) await photograph.clone().toFile(place(name));
  for (const [name, side] of [
    ['left.png', 'left'],
    ['right.png', 'right'],
  ] as const)
    await writeMask(place(name), side);
  for (const [name, text] of Object.entries(captions)) writeFileSync(place(name), text);
  // Copied, since paths in a recipe are relative to it.
  cpSync(path.join(repository, 'recipes'), place('recipes'), {recursive: true});
}

async function writeAdapter(file: string, kind: 'instruct' | 'plus'): Promise<void> {
  const unet = parseUNetConfig(JSON.parse(readFileSync(inReference('model/unet/config.json'), 'utf8')));
  const vision = JSON.parse(readFileSync(inReference('image_encoder/config.json'), 'utf8'));
  const layers = crossAttentionLayers(unet);
  const description = describeNewAdapter(
    kind,
    {dim: 32, heads: 1, dimHead: 64, depth: 4},
    {
      imageWidth: vision.hidden_size,
      textWidth: unet.crossAttentionDim,
      crossAttentionDim: unet.crossAttentionDim,
      attentionLayers: layers.length,
    },
  );
  const generator = new TorchGenerator(0);
  const tensors = [...describeAdapterWeights(description, layers)].map(([name, shape]) => {
    const data = generator.randn(shape).map(value => 0.1 * value);
    return [name, {dtype: 'float32', shape, data}] as const;
  });
  await writeSafetensors(file, new Map(tensors));
}

/** White on one half. */
function writeMask(file: string, side: 'left' | 'right'): Promise<OutputInfo> {
  const half = sharp({create: {width: 32, height: 64, channels: 3, background: 'white'}});
  const other = side === 'left' ? {right: 32} : {left: 32};
  return half.extend({...other, background: 'black'}).toFile(file);
}

/** A folder of a page's own, with the stand-ins. */
export function pageFolder({folder}: DocProject, name: string): string {
  const target = path.join(folder, 'pages', name);
  cpSync(path.join(folder, 'stand-ins'), target, {recursive: true, verbatimSymlinks: true});
  return target;
}

/**
 * Compiles the project's `samples/NAME.ts` to `built/NAME.js`, with the types that users of the package see.
 *
 * @throws Error that lists what is wrong with the types
 */
export function compileSamples({folder}: DocProject): void {
  const compilerOptions = {
    ...{
      target: 'ES2022',
      module: 'NodeNext',
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: true,
    },
    ...{noUncheckedIndexedAccess: true, rootDir: 'samples', outDir: 'built'},
    ...{types: ['node'], typeRoots: [path.join(repository, 'node_modules/@types')]},
  };
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({compilerOptions, include: ['samples']}));
  const compiler = require.resolve('typescript/bin/tsc');
  const {status, stdout} = spawnSync(process.execPath, [compiler], {cwd: folder, encoding: 'utf8'});
  if (status !== 0) throw new Error(`samples have wrong types:\n${stdout}`);
}
