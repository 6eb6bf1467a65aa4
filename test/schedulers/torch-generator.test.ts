import {readFileSync} from 'node:fs';
import test from 'ava';
import {ArgumentError} from '../../lib/errors.ts';
import {TorchGenerator} from '../../lib/schedulers/torch-generator.ts';
import {readSafetensors} from '../_helpers/read-safetensors.ts';
import {relativeError} from '../_helpers/relative-error.ts';

interface Sequence {
  readonly seed: number;
  readonly calls: readonly {readonly shape: readonly number[]; readonly values: readonly number[]}[];
}

const fixtures = new URL('../fixtures/', import.meta.url);
const tensors = readSafetensors(new URL('reference/cases/torch_randn.safetensors', fixtures));
const sequences: readonly Sequence[] = JSON.parse(
  readFileSync(new URL('schedulers/torch-randn.json', fixtures), 'utf8'),
);

for (const [name, {shape, data}] of Object.entries(tensors)) {
  test(`randn gives torch.randn's ${name}`, t => {
    const seed = Number(/^seed(\d+)_/.exec(name)![1]);
    t.true(relativeError(new TorchGenerator(seed).randn(shape), data) <= 2e-7);
  });
}

for (const {seed, calls} of sequences) {
  test(`consecutive calls of small and large shapes continue PyTorch's sequence for seed ${seed}`, t => {
    const generator = new TorchGenerator(seed);
    for (const {shape, values} of calls) {
      const error = relativeError(generator.randn(shape), values);
      t.true(error <= 2e-7, `shape [${shape.join(', ')}]: relative error ${error}`);
    }
  });
}

test('numbers and bigints are the same seeds', t => {
  t.deepEqual(new TorchGenerator(123n).randn([20]), new TorchGenerator(123).randn([20]));
  t.deepEqual(new TorchGenerator(2n ** 64n - 1n).randn([20]), new TorchGenerator(2 ** 32 - 1).randn([20]));
});

test('randn of an empty shape dimension draws nothing', t => {
  const generator = new TorchGenerator(1);
  t.is(generator.randn([4, 0]).length, 0);
  t.deepEqual(generator.randn([20]), new TorchGenerator(1).randn([20]));
});

for (const seed of [-1, 1.5, Number.NaN, 2 ** 53, -1n, 2n ** 64n]) {
  test(`seed ${seed} (${typeof seed}) is refused`, t => {
    t.throws(() => new TorchGenerator(seed), {
      instanceOf: ArgumentError,
      message: /^seed: expected an integer/,
    });
  });
}

test('a shape of negative or fractional dimensions is refused', t => {
  const generator = new TorchGenerator(0);
  for (const shape of [[-1], [2, 0.5], [Number.NaN]]) {
    t.throws(() => generator.randn(shape), {instanceOf: ArgumentError, message: /^shape: expected/});
  }
});

test("rand gives torch.rand's numbers, and leaves the sequence where PyTorch does", t => {
  const generator = new TorchGenerator(5);
  // torch.Generator().manual_seed(5): rand(5), randn(3), rand(2) of PyTorch 2.13.
  t.deepEqual(
    [...generator.rand([5])],
    [0.8302518725395203, 0.12611091136932373, 0.9074696898460388, 0.8199270367622375, 0.9201034307479858],
  );
  const normal = [1.973966360092163, -0.8814113140106201, 1.1545515060424805];
  t.true(relativeError(generator.randn([3]), normal) <= 2e-7);
  t.deepEqual([...generator.rand([2])], [0.6593389511108398, 0.7150057554244995]);
  t.throws(() => generator.rand([-1]), {instanceOf: ArgumentError});
});

test("randperm gives torch.randperm's order, and leaves the sequence where PyTorch does", t => {
  const order = (count: number) => [...new TorchGenerator(9).randperm(count)];
  // torch.randperm(count, generator=torch.Generator().manual_seed(9)) of PyTorch 2.13.
  t.deepEqual(order(1), [0]);
  t.deepEqual(order(5), [0, 1, 2, 4, 3]);
  t.deepEqual(order(12), [10, 9, 6, 8, 0, 3, 7, 4, 1, 11, 2, 5]);
  t.deepEqual(order(100_000).slice(0, 6), [56670, 63842, 78086, 12914, 15282, 98988]);
  const generator = new TorchGenerator(9);
  t.deepEqual([...generator.randperm(3)], [1, 0, 2]);
  t.deepEqual([...generator.rand([1])], [0.4798964262008667]);
  t.throws(() => generator.randperm(-1), {instanceOf: ArgumentError});
});
