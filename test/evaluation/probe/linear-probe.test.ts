import test from 'ava';
import fc from 'fast-check';
import {Engine} from '../../../lib/engine/engine.ts';
import {linearProbe, standardized} from '../../../lib/evaluation/probe/linear-probe.ts';
import type {HostTensor} from '../../../lib/pipelines/host-tensor.ts';
import {openDevice} from '../../../lib/runtime/device.ts';
import {TorchGenerator} from '../../../lib/schedulers/torch-generator.ts';

const engine = new Engine(openDevice('cpu'));
const classes = ['fox', 'owl', 'hare'];

/** Noise; every third feature, beginning with that of the class, is larger in the rows of a class. */
function rowsOf(labels: readonly (string | undefined)[], width: number, contrast: number): HostTensor {
  const data = new TorchGenerator(3).randn([labels.length, width]);
  for (const [row, label] of labels.entries()) {
    if (label === undefined) continue;
    for (let feature = classes.indexOf(label); feature < width; feature += 3)
      data[row * width + feature]! += contrast;
  }
  return {shape: [labels.length, width], data};
}

const inTurn = (count: number) => Array.from({length: count}, (_, row) => classes[row % 3]);

// 300 features of 120 rows are fitted in the dual form, 20 in the other.
for (const width of [20, 300]) {
  test(`of ${width} features, classes that stand out are told and noise is not`, async t => {
    const labels = inTurn(160);
    const ask = async (contrast: number) =>
      linearProbe(engine, standardized(rowsOf(labels, width, contrast), 120), labels, 120);
    const [clear, noise] = [await ask(30), await ask(0)];
    t.like(clear, {accuracy: 1, count: 40, chance: 14 / 40});
    t.true(noise!.accuracy < 0.65);
  });
}

test('both forms are one regression: features that are always 0 change nothing', async t => {
  const labels = inTurn(90);
  const rows = rowsOf(labels, 20, 1.5);
  const wide = new Float32Array(90 * 200);
  for (let row = 0; row < 90; row++) wide.set(rows.data.subarray(row * 20, (row + 1) * 20), row * 200);
  const padded = await linearProbe(engine, {shape: [90, 200], data: wide}, labels, 60);
  t.deepEqual(padded, await linearProbe(engine, rows, labels, 60));
  t.true(padded!.accuracy > padded!.chance);
});

test('rows without a label do not count', async t => {
  const labels = inTurn(60).map((label, row) => (row % 5 === 0 ? undefined : label));
  const rows = rowsOf(labels, 10, 30);
  const kept = labels.flatMap((label, row) => (label === undefined ? [] : [row]));
  const without = {
    shape: [kept.length, 10],
    data: Float32Array.from(kept.flatMap(row => [...rows.data.subarray(row * 10, (row + 1) * 10)])),
  };
  t.deepEqual(
    await linearProbe(engine, rows, labels, 40),
    await linearProbe(
      engine,
      without,
      kept.map(row => labels[row]),
      kept.filter(row => row < 40).length,
    ),
  );
  t.is(await linearProbe(engine, rows, labels.fill(undefined, 40), 40), undefined);
});

test('standardized features have mean 0 and variance 1 over their number, whatever their scale', t => {
  fc.assert(
    fc.property(fc.integer({min: 2, max: 9}), fc.double({min: 0.1, max: 50, noNaN: true}), (width, scale) => {
      const data = new TorchGenerator(width)
        .randn([12, width])
        .map((x, i) => (i % width === 0 ? 5 : x * scale + 3));
      const result = standardized({shape: [12, width], data}, 8);
      t.deepEqual(result.shape, [12, width]);
      for (let feature = 0; feature < width; feature++) {
        const values = Array.from({length: 8}, (_, row) => result.data[row * width + feature]!);
        const mean = values.reduce((sum, value) => sum + value) / 8;
        const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 8;
        t.true(Math.abs(mean) < 1e-5);
        t.true(Math.abs(variance * width - (feature === 0 ? 0 : 1)) < 1e-4);
      }
    }),
    {numRuns: 30},
  );
});
