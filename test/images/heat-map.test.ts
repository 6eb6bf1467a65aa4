import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {ArgumentError} from '../../lib/errors.ts';
import {cubehelix, overlayHeatMap} from '../../lib/images/heat-map.ts';
import {noiseImage} from '../_helpers/image-fixtures.ts';

/** Perceived brightness, as the map's author weighs it. */
function brightness([red, green, blue]: readonly [number, number, number]): number {
  return 0.3 * red + 0.59 * green + 0.11 * blue;
}

const share = fc.double({min: 0, max: 1, noNaN: true});
testProp('higher values are brighter', [share, share], (t, a, b) => {
  const [low, high] = [Math.min(a, b), Math.max(a, b)];
  t.true(brightness(cubehelix(low)) <= brightness(cubehelix(high)) + 1e-9);
});

test('the map goes from black to white, with channels that are not cut', t => {
  t.deepEqual(cubehelix(0), [0, 0, 0]);
  t.deepEqual(cubehelix(1), [255, 255, 255]);
  for (let value = 0; value <= 1; value += 0.01) {
    // Where none is cut brightness is the value itself.
    t.true(Math.abs(brightness(cubehelix(value)) / 255 - value) < 0.02, `${value}`);
  }
});

test("colours lie over the picture's luma", t => {
  const picture = {width: 2, height: 1, data: Uint8Array.of(255, 255, 255, 0, 0, 0)};
  t.deepEqual(overlayHeatMap(picture, Float32Array.of(0, 0)).data, Uint8Array.of(77, 77, 77, 0, 0, 0));
  t.deepEqual(
    overlayHeatMap(picture, Float32Array.of(1, 1)).data,
    Uint8Array.of(255, 255, 255, 179, 179, 179),
  );
});

test('there is a number for each pixel', t => {
  t.throws(() => overlayHeatMap(noiseImage(3, 2), new Float32Array(5)), {
    instanceOf: ArgumentError,
    message: /heat\.length: expected 3 \* 2/,
  });
});
