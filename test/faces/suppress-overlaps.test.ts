import {fc, testProp} from '@fast-check/ava';
import test from 'ava';
import {suppressOverlaps} from '../../lib/faces/suppress-overlaps.ts';

const detection = (score: number, x: number, y = 0, side = 10) => ({
  score,
  box: {x, y, width: side, height: side},
});

test('of boxes that lie on each other the surest stays, and those apart all do', t => {
  const [best, near, apart] = [detection(0.9, 0), detection(0.8, 2), detection(0.7, 8)];
  t.deepEqual(suppressOverlaps([apart, near, best]), [best, apart]);
});

test('a box that only a dropped one overlaps stays', t => {
  // Neighbours overlap by 0.5, the outer two by 0.2.
  const [first, middle, last] = [detection(0.9, 0, 0, 9), detection(0.8, 3, 0, 9), detection(0.7, 6, 0, 9)];
  t.deepEqual(suppressOverlaps([first, middle, last]), [first, last]);
});

testProp(
  'what is kept is sorted, and doing it again changes nothing',
  [
    fc.array(
      fc.record({
        score: fc.double({min: 0.5, max: 1, noNaN: true}),
        box: fc.record({
          x: fc.integer({min: -20, max: 100}),
          y: fc.integer({min: -20, max: 100}),
          width: fc.integer({min: 1, max: 60}),
          height: fc.integer({min: 1, max: 60}),
        }),
      }),
    ),
  ],
  (t, detections) => {
    const kept = suppressOverlaps(detections);
    t.is(kept.length === 0, detections.length === 0);
    t.true(kept.every(({score}, i) => i === 0 || score <= kept[i - 1]!.score));
    t.deepEqual(suppressOverlaps(kept), kept);
  },
);
