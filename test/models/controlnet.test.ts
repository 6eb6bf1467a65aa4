import {readFileSync} from 'node:fs';
import test from 'ava';
import {RandomWeights} from '../../lib/engine/random-weights.ts';
import {ArgumentError, ShapeError} from '../../lib/errors.ts';
import type {Tensor, TensorType} from '../../lib/graph/tensor.ts';
import {trace} from '../../lib/graph/trace.ts';
import {
  type ControlResiduals,
  controlNet,
  controlNetTextKeyValues,
  controlNetTimeProjections,
  sumControlResiduals,
} from '../../lib/models/controlnet.ts';
import {controlNetConditioning} from '../../lib/models/controlnet-conditioning.ts';
import {parseControlNetConfig} from '../../lib/models/controlnet-config.ts';
import {Weights} from '../../lib/nn/weights.ts';

const place = new URL('../fixtures/models/unet-odd/config.json', import.meta.url);
const config = parseControlNetConfig(JSON.parse(readFileSync(place, 'utf8')).controlnet);
const weights = new Weights(new RandomWeights('controlnet'));

function f32(...extents: number[]): TensorType {
  return {shape: extents, dtype: 'float32'};
}

const types = {
  sample: f32(3, 4, 9, 7),
  timesteps: f32(1),
  text: f32(3, 11, 20),
  image: f32(1, 3, 72, 56),
  scale: f32(1),
};

type Symbolic = {readonly [Name in keyof typeof types]: Tensor};

/** All of a ControlNet's functions in one graph. */
function residuals({sample, timesteps, text, image, scale}: Symbolic): ControlResiduals {
  const inputs = {
    sample,
    timeProjections: controlNetTimeProjections(weights, config, timesteps, 'bfloat16'),
    textKeyValues: controlNetTextKeyValues(weights, config, text, 'bfloat16'),
    conditioning: controlNetConditioning(weights, config, image, 'bfloat16'),
    scale,
  };
  return controlNet(weights, config, inputs, 'bfloat16');
}

function shapes({downResiduals, midResidual}: ControlResiduals) {
  return [...downResiduals, midResidual].map(({shape}) => shape);
}

/** conv_in, two layers and a downsampler, twice; two layers; the mid block. */
const expectedShapes = [
  [3, 9, 7, 16],
  [3, 9, 7, 16],
  [3, 9, 7, 16],
  [3, 5, 4, 16],
  [3, 5, 4, 24],
  [3, 5, 4, 24],
  [3, 3, 2, 24],
  [3, 3, 2, 32],
  [3, 3, 2, 32],
  [3, 3, 2, 32],
];

test('gives a residual for each skip and one for the mid block, channels last, of the compute dtype', t => {
  const {output} = trace(residuals, types);
  t.deepEqual(shapes(output), expectedShapes);
  t.is(output.midResidual.dtype, 'bfloat16');
});

test('the scale may differ from sample to sample', t => {
  t.deepEqual(shapes(trace(residuals, {...types, scale: f32(3)}).output), expectedShapes);
  t.throws(() => trace(residuals, {...types, scale: f32(2)}), {instanceOf: ShapeError});
});

test('a control picture of another size is refused', t => {
  t.throws(() => trace(residuals, {...types, image: f32(1, 3, 64, 56)}), {
    instanceOf: ShapeError,
    message: /^controlnet: conditioning: expected \[1 or 3, 9, 7, 16\]; got bf16\[1, 8, 7, 16\]/,
  });
});

test('residuals of several nets are added; of none, there is no sum', t => {
  const sum = trace((inputs: Symbolic) => sumControlResiduals([residuals(inputs), residuals(inputs)]), types);
  t.deepEqual(shapes(sum.output), expectedShapes);
  t.throws(() => sumControlResiduals([]), {
    instanceOf: ArgumentError,
    message: /^sumControlResiduals: expected/,
  });
});
