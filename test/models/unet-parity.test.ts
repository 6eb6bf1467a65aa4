import {readFileSync} from 'node:fs';
import test from 'ava';
import {affine} from '../../lib/graph/ops/index.ts';
import type {Tensor} from '../../lib/graph/tensor.ts';
import {
  type ControlResiduals,
  controlNet,
  controlNetTextKeyValues,
  controlNetTimeProjections,
  sumControlResiduals,
} from '../../lib/models/controlnet.ts';
import {controlNetConditioning} from '../../lib/models/controlnet-conditioning.ts';
import {parseControlNetConfig} from '../../lib/models/controlnet-config.ts';
import {
  crossAttentionLayers,
  type UNetInputs,
  unet,
  unetTextKeyValues,
  unetTimeProjections,
} from '../../lib/models/unet.ts';
import {parseUNetConfig} from '../../lib/models/unet-config.ts';
import {toChannelsFirst} from '../../lib/nn/picture-layout.ts';
import type {Weights} from '../../lib/nn/weights.ts';
import type {DType} from '../../lib/runtime/dtype.ts';
import {openWeights} from '../../lib/weights/open-weights.ts';
import {assertParity, computeDTypes} from '../_helpers/parity.ts';
import {readSafetensors} from '../_helpers/read-safetensors.ts';
import {runModel, weightsOf} from '../_helpers/run-model.ts';

const fixtures = new URL('../fixtures/', import.meta.url);
const pathOf = (name: string) => new URL(name, fixtures).pathname;
const readJson = (name: string) => JSON.parse(readFileSync(pathOf(name), 'utf8'));
const openModel = async (label: string, path: string) =>
  weightsOf(label, (await openWeights(pathOf(path))).tensors);

type Symbols = Readonly<Record<string, Tensor>>;
type UNetConfig = ReturnType<typeof parseUNetConfig>;
type ControlNetConfig = ReturnType<typeof parseControlNetConfig>;

/** A step with text alone, from the raw tensors of a case. */
function textStep(weights: Weights, config: UNetConfig, symbols: Symbols, dtype: DType): UNetInputs {
  return {
    sample: symbols['sample']!,
    timeProjections: unetTimeProjections(weights, config, symbols['timesteps']!, dtype),
    textKeyValues: unetTextKeyValues(weights, config, symbols['encoder_hidden_states']!, dtype),
  };
}

/** The case's image tokens: float32 only. */
function imageInputs(config: UNetConfig, symbols: Symbols) {
  const keyValues = crossAttentionLayers(config).map((_, index) => ({
    key: symbols[`image_key.${index}`]!,
    value: symbols[`image_value.${index}`]!,
  }));
  return {images: [{keyValues, scales: symbols['image_scales']!}]};
}

function residuals(
  weights: Weights,
  config: ControlNetConfig,
  symbols: Symbols,
  dtype: DType,
  image = symbols['control_image']!,
  scale = symbols['control_scale']!,
): ControlResiduals {
  const inputs = {
    sample: symbols['sample']!,
    timeProjections: controlNetTimeProjections(weights, config, symbols['timesteps']!, dtype),
    textKeyValues: controlNetTextKeyValues(weights, config, symbols['encoder_hidden_states']!, dtype),
    conditioning: controlNetConditioning(weights, config, image, dtype),
    scale,
  };
  return controlNet(weights, config, inputs, dtype);
}

for (const compute of computeDTypes) {
  test(`UNet: diffusers' prediction in ${compute.dtype}`, async t => {
    const config = parseUNetConfig(readJson('reference/model/unet/config.json'));
    const weights = await openModel('unet', 'reference/model/unet');
    const {timestep, output, ...inputs} = readSafetensors(pathOf('reference/cases/unet.safetensors'));
    const [prediction] = await runModel(
      symbols => unet(weights, config, textStep(weights, config, symbols, compute.dtype), compute.dtype),
      {...inputs, timesteps: timestep!},
    );
    assertParity(t, 'output', prediction, output, compute);
  });

  test(`ControlNet: diffusers' residuals at an odd size in ${compute.dtype}`, async t => {
    const config = parseControlNetConfig(readJson('models/unet-odd/config.json').controlnet);
    const weights = await openModel('controlnet', 'models/unet-odd/controlnet.safetensors');
    const tensors = readSafetensors(pathOf('models/unet-odd/case.safetensors'));
    const results = await runModel(symbols => {
      const {downResiduals, midResidual} = residuals(weights, config, symbols, compute.dtype);
      return [...downResiduals, midResidual].map(toChannelsFirst);
    }, tensors);
    t.is(results.length, 10);
    for (const [index, result] of results.entries()) {
      const name = index < 9 ? `control_down.${index}` : 'control_mid';
      assertParity(t, name, result, tensors[name], compute);
    }
  });
}

const [float32] = computeDTypes;

for (const [title, folder] of [
  ['batch of 3, 9x7 latents, heads and depth by level', 'models/unet-odd'],
  ['inpainting channels, 19x13 latents, no mid block, padding at the end', 'models/unet-inpainting'],
] as const) {
  test(`UNet: ${title}, without and with image tokens`, async t => {
    const config = parseUNetConfig(readJson(`${folder}/config.json`).unet);
    const weights = await openModel('unet', `${folder}/unet.safetensors`);
    const tensors = readSafetensors(pathOf(`${folder}/case.safetensors`));
    const [textOnly, withImage] = await runModel(symbols => {
      const step = textStep(weights, config, symbols, 'float32');
      const image = imageInputs(config, symbols);
      return [step, {...step, ...image}].map(inputs => unet(weights, config, inputs, 'float32'));
    }, tensors);
    assertParity(t, 'text_only', textOnly, tensors['text_only'], float32);
    assertParity(t, 'with_image', withImage, tensors['with_image'], float32);
  });
}

test('UNet: ControlNet alone, with image tokens, and two ControlNets', async t => {
  const configs = readJson('models/unet-odd/config.json');
  const [config, controlConfig] = [parseUNetConfig(configs.unet), parseControlNetConfig(configs.controlnet)];
  const weights = await openModel('unet', 'models/unet-odd/unet.safetensors');
  const controlWeights = await openModel('controlnet', 'models/unet-odd/controlnet.safetensors');
  const tensors = readSafetensors(pathOf('models/unet-odd/case.safetensors'));
  const names = ['controlled', 'with_image_controlled', 'controlled_twice'];
  const results = await runModel(symbols => {
    const step = textStep(weights, config, symbols, 'float32');
    const first = residuals(controlWeights, controlConfig, symbols, 'float32');
    const half = affine({x: symbols['control_scale']!}, {scale: 0.5, offset: 0});
    const other = symbols['control_image_2']!;
    const second = residuals(controlWeights, controlConfig, symbols, 'float32', other, half);
    return [
      {...step, ...first},
      {...step, ...imageInputs(config, symbols), ...first},
      {...step, ...sumControlResiduals([first, second])},
    ].map(inputs => unet(weights, config, inputs, 'float32'));
  }, tensors);
  for (const [index, name] of names.entries()) {
    assertParity(t, name, results[index], tensors[name], float32);
  }
});

test('UNet: each sample of a batch is what it is alone, and runs repeat to the bit', async t => {
  const config = parseUNetConfig(readJson('models/unet-odd/config.json').unet);
  const weights = await openModel('unet', 'models/unet-odd/unet.safetensors');
  const tensors = readSafetensors(pathOf('models/unet-odd/case.safetensors'));
  const {sample, timesteps, encoder_hidden_states: text} = tensors;
  const run = async (rows: readonly [number, number]) => {
    const cut = ({shape, data}: {shape: readonly number[]; data: Float32Array}) => {
      const size = data.length / shape[0]!;
      return {shape: shape.with(0, rows[1] - rows[0]), data: data.slice(rows[0] * size, rows[1] * size)};
    };
    const inputs = {sample: cut(sample!), timesteps: cut(timesteps!), encoder_hidden_states: cut(text!)};
    const [prediction] = await runModel(
      symbols => unet(weights, config, textStep(weights, config, symbols, 'float32'), 'float32'),
      inputs,
    );
    return {shape: [rows[1] - rows[0], 4, 9, 7], data: prediction!};
  };
  const all = await run([0, 3]);
  t.deepEqual((await run([0, 3])).data, all.data);
  for (const index of [0, 1, 2]) {
    const part = all.data.slice(index * 252, (index + 1) * 252);
    const alone = await run([index, index + 1]);
    assertParity(t, `sample ${index}`, part, alone, float32);
  }
});
