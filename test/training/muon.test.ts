// Beside PyTorch's Muon: bench/pytorch/muon_steps.py made the fixture.
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {Engine} from '../../lib/engine/engine.ts';
import {openDevice} from '../../lib/runtime/device.ts';
import {DeviceTensor} from '../../lib/runtime/device-tensor.ts';
import {AdamW} from '../../lib/training/adamw.ts';
import {isHiddenMatrix} from '../../lib/training/muon.ts';
import {readSafetensors} from '../_helpers/read-safetensors.ts';

const fixture = readSafetensors(
  fileURLToPath(new URL('../fixtures/training/muon-steps.safetensors', import.meta.url)),
);
const engine = new Engine(openDevice('cpu'));
/** Of the way: PyTorch's steps with each product's operands and sums rounded on their own are 2.5 % from its fused ones. */
const tolerance = 0.03;
const settings = {learningRate: 1e-2, weightDecay: 0.1, momentum: 0.95};

/** The weight after steps with these gradients, one after the other. */
async function stepped(shape: readonly number[], weight: Float32Array, gradients: readonly Float32Array[]) {
  const {learningRate, weightDecay, momentum} = settings;
  const optimizer = AdamW.begin(engine, new Map([['w', {shape, data: weight}]]), {
    weightDecay,
    muon: {momentum},
  });
  for (const gradient of gradients) {
    const w = DeviceTensor.from(engine.device, gradient, shape);
    await optimizer.step({w}, {learningRate});
    w.dispose();
  }
  const weights = await optimizer.weights();
  optimizer.dispose();
  return weights.get('w')!.data;
}

const lengthOf = (x: Float32Array) => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));

for (const name of ['wide', 'tall']) {
  test(`five steps of a ${name} matrix agree with PyTorch's, to the rounding of products in bfloat16`, async t => {
    const [weight, gradients, expected] = ['weight', 'gradients', 'expected'].map(
      part => fixture[`${name}.${part}`]!,
    ) as [(typeof fixture)[string], (typeof fixture)[string], (typeof fixture)[string]];
    const {shape, data} = weight;
    const rows = Array.from({length: gradients.shape[0]!}, (_, i) =>
      gradients.data.slice(i * data.length, (i + 1) * data.length),
    );
    const actual = await stepped(shape, data, rows);
    const moved = lengthOf(expected.data.map((value, i) => value - data[i]!));
    const apart = lengthOf(actual.map((value, i) => value - expected.data[i]!));
    t.log(`${((100 * apart) / moved).toFixed(1)} % of the way apart`);
    t.true(apart < tolerance * moved);
  });
}

test('kernels of a convolution move as the matrix of their rows', async t => {
  const {shape, data} = fixture['wide.weight']!;
  const gradient = fixture['wide.gradients']!.data.slice(0, data.length);
  const asKernels = [shape[0]!, shape[1]! / 8, 2, 4];
  t.deepEqual(await stepped(asKernels, data, [gradient]), await stepped(shape, data, [gradient]));
});

test('a gradient of 0 moves a weight by its decay alone', async t => {
  const weight = Float32Array.of(1, -2, 3, 4, 5, -6);
  const moved = await stepped([2, 3], weight, [new Float32Array(6)]);
  for (const [i, value] of moved.entries()) t.true(Math.abs(value - 0.999 * weight[i]!) < 1e-6);
});

test('biases, embeddings, and first and last layers are not for Muon', t => {
  t.true(isHiddenMatrix('down_blocks.0.resnets.0.conv1.weight', [8, 4, 3, 3]));
  t.true(isHiddenMatrix('mid_block.attentions.0.proj_in.weight', [8, 8, 1, 1]));
  t.true(isHiddenMatrix('time_embedding.linear_1.weight', [8, 4]));
  t.false(isHiddenMatrix('time_embedding.linear_1.bias', [8]));
  t.false(isHiddenMatrix('conv_in.weight', [8, 4, 3, 3]));
  t.false(isHiddenMatrix('conv_out.weight', [4, 8, 3, 3]));
  t.false(isHiddenMatrix('text_model.embeddings.token_embedding.weight', [100, 8]));
});
