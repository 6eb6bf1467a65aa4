import test from 'ava';
import {placeShape} from '../../../lib/datasets/world/place-shape.ts';
import {area, ellipse, line, polygon} from '../../../lib/datasets/world/shapes.ts';

test('absolute coordinates are scaled and moved, relative ones and radii scaled only', t => {
  const place = (d: string) => placeShape(area('#000000', d), 2, 10, 100).d;
  t.is(place(polygon(1, 2, 3, 4)), 'M12 104 16 108Z');
  t.is(place('M0 0H5V6h7v8'), 'M10 100H20V112h14v16');
  t.is(place('M0 0Q1 1 2 2T3 3C1 1 2 2 3 3'), 'M10 100Q12 102 14 104T16 106C12 102 14 104 16 106');
  t.is(place('M1-1l2-.5'), 'M12 98l4 -1');
  t.is(place(ellipse(5, 5, 3, 2)), 'M14 110a6 4 0 1 0 12 0a6 4 0 1 0 -12 0Z');
});

test('lines widen with their shape, and stay wide enough for a small picture', t => {
  t.is(placeShape(line('#000000', 3, 'M0 0H9'), 2, 0, 0).width, 6);
  t.is(placeShape(line('#000000', 3, 'M0 0H9'), 0.1, 0, 0).width, 2);
});
