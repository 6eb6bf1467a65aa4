import test from 'ava';
import {shareOf, tallyOutcomes} from '../../lib/evaluation/outcomes.ts';

test('shares and tallies are of the factors that are asked about', t => {
  t.is(shareOf({}), undefined);
  t.is(shareOf({style: true, layout: false}), 0.5);
  t.deepEqual(tallyOutcomes([]), {});
  t.deepEqual(tallyOutcomes([{type: true, style: true}, {}, {type: true, style: false}, {layout: false}]), {
    type: {hits: 2, count: 2},
    style: {hits: 1, count: 2},
    layout: {hits: 0, count: 1},
  });
});
