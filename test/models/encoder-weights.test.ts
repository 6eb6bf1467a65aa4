import {readFileSync} from 'node:fs';
import {gunzipSync} from 'node:zlib';
import test from 'ava';
import {describeAutoencoderKLWeights, parseAutoencoderKLConfig} from '../../lib/models/autoencoder-kl.ts';
import {describeClipTextWeights, parseClipTextConfig} from '../../lib/models/clip-text.ts';
import {describeClipVisionWeights, parseClipVisionConfig} from '../../lib/models/clip-vision.ts';
import {describeAdapterWeights} from '../../lib/models/ip-adapter.ts';
import {crossAttentionLayers} from '../../lib/models/unet.ts';
import {parseUNetConfig} from '../../lib/models/unet-config.ts';
import {detectAdapterKind} from '../../lib/weights/adapter-kind.ts';
import {canonicalVaeTensors} from '../../lib/weights/component-names.ts';
import {readSafetensorsIndex} from '../../lib/weights/safetensors.ts';
import type {TensorMap} from '../../lib/weights/stored-tensor.ts';
import {tensorMap} from '../_helpers/tensor-map.ts';

interface PublishedModel {
  readonly kind: 'text' | 'vision' | 'vae' | 'adapter';
  /** Of all but adapters, whose files carry none. */
  readonly config?: Record<string, unknown>;
  readonly weights: Record<string, readonly number[]>;
}

const describe = {
  text: (config: unknown) => describeClipTextWeights(parseClipTextConfig(config)),
  vision: (config: unknown) => describeClipVisionWeights(parseClipVisionConfig(config)),
  vae: (config: unknown) => describeAutoencoderKLWeights(parseAutoencoderKLConfig(config)),
};

const fixtures = new URL('../fixtures/', import.meta.url);
const published: Record<string, PublishedModel> = JSON.parse(
  gunzipSync(readFileSync(new URL('models/encoder-weights.json.gz', fixtures))).toString(),
);

const sd15Unet = parseUNetConfig({cross_attention_dim: 768});

for (const [name, {kind, config, weights}] of Object.entries(published)) {
  test(`asks for the weights of the published model: ${name}`, t => {
    const described =
      kind === 'adapter'
        ? describeAdapterWeights(detectAdapterKind(tensorMap(weights)), crossAttentionLayers(sd15Unet))
        : describe[kind](config);
    t.deepEqual(Object.fromEntries(described), weights);
  });
}

const shapesOf = (tensors: TensorMap) =>
  Object.fromEntries([...tensors].map(([name, {shape}]) => [name, shape] as const));
const readConfig = (folder: string): unknown =>
  JSON.parse(readFileSync(new URL(`reference/${folder}/config.json`, fixtures), 'utf8'));
const readTensors = async (file: string) =>
  (await readSafetensorsIndex(new URL(`reference/${file}`, fixtures).pathname)).tensors;

for (const [folder, kind] of [
  ['model/text_encoder', 'text'],
  ['instruction_encoder', 'text'],
  ['image_encoder', 'vision'],
  ['model/vae', 'vae'],
] as const) {
  test(`asks for exactly what is in the reference file: ${folder}`, async t => {
    const name = kind === 'vae' ? 'diffusion_pytorch_model' : 'model';
    const tensors = await readTensors(`${folder}/${name}.safetensors`);
    const expected = shapesOf(kind === 'vae' ? canonicalVaeTensors(tensors) : tensors);
    delete expected['text_model.embeddings.position_ids'];
    delete expected['vision_model.embeddings.position_ids'];
    t.deepEqual(Object.fromEntries(describe[kind](readConfig(folder))), expected);
  });
}

for (const name of ['ip-adapter', 'ip-adapter-plus', 'ip-adapter-instruct', 'ip-adapter-instruct-paper']) {
  test(`asks for exactly what is in the reference file: ${name}`, async t => {
    const tensors = await readTensors(`${name}.safetensors`);
    const adapter = detectAdapterKind(tensors, {heads: 2});
    const layers = crossAttentionLayers(parseUNetConfig(readConfig('model/unet')));
    t.deepEqual(Object.fromEntries(describeAdapterWeights(adapter, layers)), shapesOf(tensors));
  });
}
