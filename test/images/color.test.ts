import test from 'ava';
import {ArgumentError} from '../../lib/errors.ts';
import {toRgb} from '../../lib/images/color.ts';

test('colours are read in each form', t => {
  t.deepEqual(toRgb('background', '#1aF'), [0x11, 0xaa, 0xff]);
  t.deepEqual(toRgb('background', '#102030'), [0x10, 0x20, 0x30]);
  t.deepEqual(toRgb('background', 'White'), [255, 255, 255]);
  t.deepEqual(toRgb('background', [1, 2, 3]), [1, 2, 3]);
});

for (const color of ['', '#12', '#12345g', 'constructor', [1, 2], [1, 2, 256], [1, 2, 0.5], null, 7]) {
  test(`refused: ${JSON.stringify(color)}`, t => {
    t.throws(() => toRgb('background', color as string), {
      instanceOf: ArgumentError,
      message: /^background: expected/,
    });
  });
}
