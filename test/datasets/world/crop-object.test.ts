import test from 'ava';
import {Choices} from '../../../lib/datasets/world/choices.ts';
import {renderCrop} from '../../../lib/datasets/world/crop-object.ts';
import {drawScene} from '../../../lib/datasets/world/draw-factors.ts';
import {objectBounds} from '../../../lib/datasets/world/object-bounds.ts';
import {objectBox, objectKinds} from '../../../lib/datasets/world/objects.ts';

test('an object stays in its box, and fills it in height or in width', async t => {
  for (const kind of objectKinds) {
    const {x, y, width, height} = await objectBounds(kind);
    t.true(x >= 0 && y >= 0 && x + width <= objectBox && y + height <= objectBox, kind);
    t.true(Math.max(width, height) > 0.8 * objectBox, kind);
  }
});

test('a crop is a square: the object in the middle, the padding around it', async t => {
  const scene = drawScene(new Choices(4), {
    object: {kind: 'guitar', color: 'red'},
    style: {name: 'flat', palette: 0},
    layout: {name: 'left', horizon: 0.5, scale: 1, shift: 0, light: 0.5},
  });
  const side = 64;
  const {data, width, height} = await renderCrop(scene, {padding: '#12ab34', margin: 0.125}, side);
  t.deepEqual([width, height], [side, side]);
  const pixel = (x: number, y: number) => [...data.subarray(3 * (y * side + x), 3 * (y * side + x) + 3)];
  const padding = [0x12, 0xab, 0x34];
  // A guitar is taller than wide: there is more padding at its sides than above it.
  for (const [x, y] of [
    [0, 0],
    [63, 63],
    [32, 6],
    [10, 32],
    [53, 32],
  ])
    t.deepEqual(pixel(x!, y!), padding);
  for (const [x, y] of [
    [32, 12],
    [32, 32],
    [26, 50],
  ])
    t.notDeepEqual(pixel(x!, y!), padding);
});
