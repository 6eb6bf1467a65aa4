import test from 'ava';
import {halve, leakyRelu, maxPool, relu} from '../../../lib/models/face/layers.ts';
import {type HostInput, runModel} from '../../_helpers/run-model.ts';

/** [1, 7, 5, 3] of numbers of many sizes and both signs, and 0. */
const pictures: HostInput = {
  shape: [1, 7, 5, 3],
  data: Float32Array.from(
    {length: 105},
    (_, i) => Math.sin(i * i) * 10 ** ((i % 9) - 6) * (i === 40 ? 0 : 1),
  ),
};

test('relu keeps what is positive, to the last bits, and lets nothing negative through', async t => {
  const [y] = await runModel(({x}) => relu(x), {x: pictures});
  for (const [i, x] of pictures.data.entries()) {
    const expected = Math.max(x, 0);
    t.true(Math.abs(y![i]! - expected) <= 1e-12 + expected * 2 ** -22, `${x}: ${y![i]}`);
  }
});

test('the leaky one lets a tenth through', async t => {
  const [y] = await runModel(({x}) => leakyRelu(x), {x: pictures});
  for (const [i, x] of pictures.data.entries()) {
    t.true(Math.abs(y![i]! - Math.max(x, 0.1 * x)) <= 1e-12 + Math.abs(x) * 2 ** -22, `${x}: ${y![i]}`);
  }
});

for (const options of [
  {size: 2, stride: 2, padded: true},
  {size: 2, stride: 1, padded: true},
  {size: 3, stride: 2, padded: false},
]) {
  test(`largest in windows: ${JSON.stringify(options)}`, async t => {
    const [y] = await runModel(({x}) => maxPool(x, options), {x: pictures});
    const expected = windowMaxima(options);
    t.is(y!.length, expected.length);
    for (const [i, value] of expected.entries()) {
      // The difference of two numbers is rounded before it is added to one of them.
      t.true(Math.abs(y![i]! - value) <= 1e-4, `${i}: ${y![i]}, ${value}`);
    }
  });
}

test('halves are means of four; an odd last row and column have no part', async t => {
  const [y] = await runModel(({x}) => halve(x), {x: pictures});
  t.is(y!.length, 3 * 2 * 3);
  for (const [i, value] of y!.entries()) {
    const [row, column, channel] = [Math.floor(i / 6), Math.floor(i / 3) % 2, i % 3];
    const four = [0, 1].flatMap(dy => [0, 1].map(dx => at(2 * row + dy, 2 * column + dx, channel)));
    const mean = four.reduce((a, b) => a + b) / 4;
    t.true(Math.abs(value - mean) <= 1e-4, `${i}: ${value}, ${mean}`);
  }
});

function at(row: number, column: number, channel: number): number {
  return pictures.data[(row * 5 + column) * 3 + channel]!;
}

function windowMaxima(options: {readonly size: number; readonly stride: number; readonly padded: boolean}) {
  const {size, stride, padded} = options;
  const starts = (extent: number) =>
    Array.from({length: extent}, (_, i) => i * stride).filter(
      i => i < extent && (padded || i + size <= extent),
    );
  return starts(7).flatMap(top =>
    starts(5).flatMap(left =>
      [0, 1, 2].map(channel => {
        const seen: number[] = [];
        for (let row = top; row < Math.min(top + size, 7); row++) {
          for (let column = left; column < Math.min(left + size, 5); column++) {
            seen.push(at(row, column, channel));
          }
        }
        return Math.max(...seen);
      }),
    ),
  );
}
