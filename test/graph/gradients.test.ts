// Gradients of each op against central differences in float64.
import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {ShapeError} from '../../lib/errors.ts';
import {gradients} from '../../lib/graph/gradients.ts';
import * as ops from '../../lib/graph/ops/index.ts';
import type {Tensor} from '../../lib/graph/tensor.ts';
import {trace} from '../../lib/graph/trace.ts';
import {contrastiveLoss} from '../../lib/training/contrastive-loss.ts';
import {
  type Array64,
  activations,
  array64,
  attention,
  conv2d,
  get,
  groupNorm,
  layerNorm,
  linear,
  sum,
} from '../_helpers/float64-ops.ts';
import {runModel} from '../_helpers/run-model.ts';

interface Case {
  /** Shapes of the inputs, all float32. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly symbolic: (inputs: Readonly<Record<string, Tensor>>) => Tensor;
  readonly float64: (inputs: Readonly<Record<string, Array64>>) => Array64;
  /** Inputs that gradients are not asked of. */
  readonly frozen?: readonly string[];
}

const step = 1e-4;
/** Of the largest magnitude among a case's gradients. */
const tolerance = 1e-4;

/** Numbers in (-1, 1), equal for equal seeds. */
function numbers(seed: number, count: number): Float64Array {
  let state = seed * 2 + 1;
  return Float64Array.from({length: count}, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.fround(state / 2 ** 31 - 1);
  });
}

/** Up to 20 indices, spread over all. */
function someOf(count: number): number[] {
  const length = Math.min(count, 20);
  return Array.from({length}, (_, i) => Math.floor((i * count) / length));
}

/** Gradients of Σ output ∘ factors. */
async function agrees({shapes, symbolic, float64, frozen = []}: Case): Promise<number> {
  const names = Object.keys(shapes);
  const values: Record<string, Array64> = {};
  for (const [index, name] of names.entries()) {
    const shape = shapes[name]!;
    values[name] = {
      shape,
      data: numbers(
        index + 1,
        shape.reduce((a, b) => a * b, 1),
      ),
    };
  }
  const {shape, data} = float64(values);
  const factors = numbers(99, data.length);
  const loss = (inputs: Readonly<Record<string, Array64>>) => {
    const output = float64(inputs);
    return sum(output.data.length, i => output.data[i]! * factors[i]!);
  };
  const wanted = names.filter(name => !frozen.includes(name));
  const inputs = Object.fromEntries(
    Object.entries({...values, factors: {shape, data: factors}}).map(([name, value]) => [
      name,
      {shape: value.shape, data: Float32Array.from(value.data)},
    ]),
  );
  const got = await runModel(symbols => {
    const output = symbolic(symbols);
    const weighted = ops.binary({a: output, b: symbols['factors']!}, {kind: 'multiply'});
    const total = ops.reduceSum({x: weighted}, {shape: weighted.shape.map(() => 1), dtype: 'float32'});
    return gradients(
      total,
      wanted.map(name => symbols[name]!),
    );
  }, inputs);
  let largest = 0;
  let worst = 0;
  for (const [index, name] of wanted.entries()) {
    for (const i of someOf(values[name]!.data.length)) {
      const moved = (by: number) => {
        const copy = Float64Array.from(values[name]!.data);
        copy[i]! += by;
        return loss({...values, [name]: {shape: values[name]!.shape, data: copy}});
      };
      const expected = (moved(step) - moved(-step)) / (2 * step);
      largest = Math.max(largest, Math.abs(expected));
      worst = Math.max(worst, Math.abs(got[index]![i]! - expected));
    }
  }
  return worst / largest;
}

const extent = fc.integer({min: 1, max: 5});
const runs = {numRuns: 10};

function property<T>(title: string, shapes: fc.Arbitrary<T>, caseOf: (value: T) => Case): void {
  testProp(title, [shapes], async (t, value) => void t.true((await agrees(caseOf(value))) < tolerance), runs);
}

const flags = fc.tuple(fc.boolean(), fc.boolean());

property(
  'binary, with repeated axes',
  fc.tuple(
    fc.array(extent, {minLength: 1, maxLength: 3}),
    flags,
    fc.constantFrom('add', 'subtract', 'multiply'),
  ),
  ([shape, [repeatsA, repeatsB], kind]) => {
    const one = (repeats: boolean, axis: number) =>
      repeats && axis < shape.length ? shape.with(axis, 1) : shape;
    const [a, b] = [one(repeatsA, 0), one(repeatsB, shape.length - 1)];
    const output = a.map((n, axis) => Math.max(n, b[axis]!));
    const of = {
      add: (x: number, y: number) => x + y,
      subtract: (x: number, y: number) => x - y,
      multiply: (x: number, y: number) => x * y,
    }[kind as 'add'];
    return {
      shapes: {a, b},
      symbolic: ({a, b}) => ops.binary({a: a!, b: b!}, {kind: kind as 'add'}),
      float64: ({a, b}) => array64(output, index => of(get(a!, index), get(b!, index))),
    };
  },
);

property(
  'unary and affine',
  fc.tuple(fc.integer({min: 1, max: 40}), fc.constantFrom('silu', 'gelu', 'quick_gelu')),
  ([count, kind]) => ({
    shapes: {x: [count]},
    symbolic: ({x}) => ops.unary({x: ops.affine({x: x!}, {scale: 5, offset: 0.5})}, {kind: kind as 'silu'}),
    float64: ({x}) => array64([count], ([i]) => activations[kind as 'silu'](5 * x!.data[i!]! + 0.5)),
  }),
);

property('exp, log and rsqrt', fc.integer({min: 1, max: 40}), count => ({
  shapes: {x: [count]},
  symbolic: ({x}) => {
    const power = ops.unary({x: x!}, {kind: 'exp'});
    const root = ops.unary({x: power}, {kind: 'rsqrt'});
    return ops.unary({x: ops.affine({x: root}, {scale: 2, offset: 0.5})}, {kind: 'log'});
  },
  float64: ({x}) => array64([count], ([i]) => Math.log(0.5 + 2 * Math.exp(-0.5 * x!.data[i!]!))),
}));

property('the contrastive loss', fc.tuple(fc.integer({min: 2, max: 6}), extent), ([batch, channels]) => {
  const shape = [batch, channels + 1];
  return {
    shapes: {images: shape, texts: shape},
    symbolic: ({images, texts}) => contrastiveLoss(images!, texts!, 2),
    float64: ({images, texts}) => {
      const unit = (x: Array64, row: number) => {
        const values = Array.from({length: channels + 1}, (_, c) => get(x, [row, c]));
        return values.map(value => value / Math.hypot(...values));
      };
      const logit = (i: number, j: number) => {
        const [a, b] = [unit(images!, i), unit(texts!, j)];
        return 2 * sum(channels + 1, c => a[c]! * b[c]!);
      };
      const entropy = (own: number, all: (other: number) => number) =>
        Math.log(sum(batch, other => Math.exp(all(other)))) - own;
      const total = sum(
        batch,
        i => entropy(logit(i, i), j => logit(i, j)) + entropy(logit(i, i), j => logit(j, i)),
      );
      return array64([1, 1], () => total / (2 * batch));
    },
  };
});

property('geglu', fc.tuple(extent, extent), ([rows, channels]) => ({
  shapes: {x: [rows, 2 * channels]},
  symbolic: ({x}) => ops.geglu({x: x!}),
  float64: ({x}) =>
    array64([rows, channels], ([i, c]) => get(x!, [i!, c!]) * activations.gelu(get(x!, [i!, channels + c!]))),
}));

property(
  'reshape, transpose, slice, concat, broadcast_to, reduce_sum',
  fc.tuple(extent, extent, extent),
  ([a, b, c]) => ({
    shapes: {x: [a, b, c], y: [a, 1, c]},
    symbolic: ({x, y}) => {
      const turned = ops.transpose({x: x!}, {permutation: [0, 2, 1]});
      const part = ops.slice(
        {x: ops.reshape({x: turned}, {shape: [a, c, b]})},
        {axis: 2, start: b >> 1, length: 1},
      );
      const both = ops.concat({parts: [ops.transpose({x: part}, {permutation: [0, 2, 1]}), y!]}, {axis: 1});
      const summed = ops.reduceSum({x: both}, {shape: [a, 1, c], dtype: 'float32'});
      return ops.broadcastTo({x: summed}, {shape: [a, 3, c]});
    },
    float64: ({x, y}) => array64([a, 3, c], ([i, , k]) => get(x!, [i!, b >> 1, k!]) + get(y!, [i!, 0, k!])),
  }),
);

property(
  'upsample_nearest',
  fc.tuple(extent, extent, extent, extent),
  ([height, width, factor, channels]) => ({
    shapes: {x: [2, height, width, channels]},
    symbolic: ({x}) => ops.upsampleNearest({x: x!}, {height: height * factor, width: width * 2}),
    float64: ({x}) =>
      array64([2, height * factor, width * 2, channels], ([b, i, j, c]) =>
        get(x!, [b!, Math.floor(i! / factor), j! >> 1, c!]),
      ),
  }),
);

property(
  'linear',
  fc.tuple(extent, fc.integer({min: 1, max: 40}), fc.integer({min: 1, max: 40})),
  ([rows, features, outputs]) => ({
    shapes: {
      x: [2, rows, features],
      weight: [outputs, features],
      bias: [outputs],
      residual: [2, rows, outputs],
    },
    symbolic: ({x, weight, bias, residual}) =>
      ops.linear(
        {
          x: x!,
          weight: ops.packLinear({weight: weight!}, {dtype: 'float32', glu: false, transposed: false}),
          bias,
          residual,
        },
        {activation: 'none'},
      ),
    float64: ({x, weight, bias, residual}) => linear(x!, weight!, bias, residual),
  }),
);

const kernel = fc.integer({min: 1, max: 3});
const convolution = fc
  .tuple(kernel, kernel, fc.integer({min: 1, max: 2}))
  .chain(([kernelHeight, kernelWidth, stride]) =>
    fc.tuple(
      fc.constant({kernelHeight, kernelWidth, stride}),
      fc.tuple(fc.nat(kernelHeight - 1), fc.nat(kernelWidth - 1), fc.nat(2), fc.nat(2)),
      fc.tuple(fc.integer({min: 3, max: 6}), fc.integer({min: 3, max: 6}), extent, extent),
    ),
  );
property(
  'conv2d',
  convolution,
  ([{kernelHeight, kernelWidth, stride}, padding, [height, width, channels, outputs]]) => {
    const [top, left, bottom, right] = padding;
    const rows = Math.floor((height + top + bottom - kernelHeight) / stride) + 1;
    const columns = Math.floor((width + left + right - kernelWidth) / stride) + 1;
    return {
      shapes: {
        x: [2, height, width, channels],
        weight: [outputs, channels, kernelHeight, kernelWidth],
        bias: [outputs],
        sampleBias: [2, outputs],
        residual: [2, rows, columns, outputs],
      },
      symbolic: ({x, weight, bias, sampleBias, residual}) =>
        ops.conv2d(
          {
            x: x!,
            weight: ops.packConv2d({weight: weight!}, {dtype: 'float32', algorithm: 'direct'}),
            bias,
            sample_bias: sampleBias,
            residual,
          },
          {stride, padding, upsample_height: 0, upsample_width: 0, activation: 'none', algorithm: 'direct'},
        ),
      float64: ({x, weight, ...shifts}) => conv2d(x!, weight!, {stride, padding}, shifts),
    };
  },
);

property(
  'layer_norm',
  fc.tuple(extent, fc.integer({min: 2, max: 40}), flags),
  ([rows, channels, [hasScale, hasShift]]) => ({
    shapes: {
      x: [rows, channels],
      ...(hasScale && {scale: [channels]}),
      ...(hasShift && {shift: [channels]}),
    },
    symbolic: ({x, scale, shift}) => ops.layerNorm({x: x!, scale, shift}, {epsilon: 0.01, dtype: 'float32'}),
    float64: ({x, scale, shift}) => layerNorm(x!, 0.01, scale, shift),
  }),
);

property(
  'group_norm',
  fc.tuple(extent, fc.integer({min: 1, max: 30}), extent, extent),
  ([samples, positions, groups, width]) => ({
    shapes: {x: [samples, positions, groups * width], scale: [groups * width], shift: [groups * width]},
    symbolic: ({x, scale, shift}) =>
      ops.groupNorm({x: x!, scale: scale!, shift: shift!}, {groups, epsilon: 0.01, activation: 'none'}),
    float64: ({x, scale, shift}) => groupNorm(x!, groups, 0.01, scale!, shift!),
  }),
);

const tokens = fc.integer({min: 1, max: 36});
property(
  'attention, with mask or causal',
  fc.tuple(fc.tuple(tokens, tokens), fc.integer({min: 1, max: 2}), fc.integer({min: 1, max: 20}), flags),
  ([[queries, keys], heads, size, [isMasked, causal]]) => ({
    shapes: {
      q: [2, queries, heads * size],
      k: [2, keys, heads * size],
      v: [2, keys, heads * size],
      ...(isMasked && {mask: [1, queries, keys]}),
    },
    frozen: ['mask'],
    symbolic: ({q, k, v, mask}) => ops.attention({q: q!, k: k!, v: v!, mask}, {heads, scale: 0.7, causal}),
    float64: ({q, k, v, mask}) => attention(q!, k!, v!, {heads, scale: 0.7, causal}, mask),
  }),
);

property(
  'decoupled_attention',
  fc.tuple(extent, extent, extent, extent),
  ([queries, keys, imageKeys, size]) => ({
    shapes: {
      q: [2, queries, 2 * size],
      k: [2, keys, 2 * size],
      v: [2, keys, 2 * size],
      imageK: [2, imageKeys, 2 * size],
      imageV: [2, imageKeys, 2 * size],
      imageScale: [2],
    },
    symbolic: ({q, k, v, imageK, imageV, imageScale}) =>
      ops.decoupledAttention(
        {q: q!, k: k!, v: v!, image_k: imageK!, image_v: imageV!, image_scale: imageScale!},
        {heads: 2, scale: 0.7},
      ),
    float64: ({q, k, v, imageK, imageV, imageScale}) => {
      const [text, image] = [
        attention(q!, k!, v!, {heads: 2, scale: 0.7}),
        attention(q!, imageK!, imageV!, {heads: 2, scale: 0.7}),
      ];
      return array64(q!.shape, index => get(text, index) + imageScale!.data[index[0]!]! * get(image, index));
    },
  }),
);

test('embedding and gather_tokens: rows that are read more than once, and never', async t => {
  const ids = {shape: [2, 3], data: Int32Array.of(3, 0, 3, 1, 3, 0)};
  const table = {shape: [5, 2], data: Float32Array.from({length: 10}, (_, i) => i)};
  const x = {shape: [2, 3, 2], data: new Float32Array(12)};
  const index = {shape: [2], data: Int32Array.of(2, 0)};
  const [ofTable, ofX] = await runModel(
    ({ids, table, x, index}) => {
      const rows = ops.embedding({table, ids}, {dtype: 'float32'});
      const picked = ops.gatherTokens({x, index});
      const loss = (y: Tensor) => ops.reduceSum({x: y}, {shape: y.shape.map(() => 1), dtype: 'float32'});
      const total = ops.binary(
        {a: ops.reshape({x: loss(rows)}, {shape: [1, 1]}), b: loss(picked)},
        {kind: 'add'},
      );
      return gradients(total, [table, x]);
    },
    {ids, table, x, index},
  );
  t.deepEqual([...ofTable!], [2, 2, 1, 1, 0, 0, 3, 3, 0, 0]);
  t.deepEqual([...ofX!], [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0]);
});

test('a tensor that is read twice gets both gradients; one that is not read, zeros', async t => {
  const x = {shape: [2], data: Float32Array.of(3, -2)};
  const [ofX, ofY] = await runModel(
    ({x, y}) => {
      const square = ops.binary({a: x, b: x}, {kind: 'multiply'});
      const cube = ops.binary({a: square, b: x}, {kind: 'multiply'});
      return gradients(ops.reduceSum({x: cube}, {shape: [1], dtype: 'float32'}), [x, y]);
    },
    {x, y: x},
  );
  t.deepEqual([...ofX!], [27, 12]);
  t.deepEqual([...ofY!], [0, 0]);
});

test('what is frozen gets no work', t => {
  const type = {shape: [4, 4], dtype: 'float32'} as const;
  const {graph} = trace(
    ({x, frozen, trained}: Record<'x' | 'frozen' | 'trained', Tensor>) => {
      const pack = (weight: Tensor) =>
        ops.packLinear({weight}, {dtype: 'float32', glu: false, transposed: false});
      const hidden = ops.linear({x, weight: pack(trained)}, {activation: 'none'});
      const y = ops.linear({x: hidden, weight: pack(frozen)}, {activation: 'none'});
      return gradients(ops.reduceSum({x: y}, {shape: [1, 1], dtype: 'float32'}), [trained]);
    },
    {x: type, frozen: type, trained: type},
  );
  const products = graph.nodes.filter(({node}) => node.kind === 'op' && node.op.name === 'linear');
  // Two forward, the gradient of `hidden`, and that of `trained`: none of `x` or `frozen`.
  t.is(products.length, 4);
});

test('refuses a loss of more than one element', t => {
  const type = {shape: [2], dtype: 'float32'} as const;
  t.throws(() => trace(({x}: {x: Tensor}) => gradients(x, [x]), {x: type}), {instanceOf: ShapeError});
});
