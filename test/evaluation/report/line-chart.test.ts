import test from 'ava';
import {lineChart} from '../../../lib/evaluation/report/line-chart.ts';

const at = (x: number, mean: number) => ({x, y: {mean, low: mean - 0.1, high: mean + 0.1}});

test('points stand where their numbers say, each with its interval', t => {
  const series = [
    {name: 'a & b', points: [at(0, 0.1), at(100, 0.9)]},
    {name: 'c', points: [at(50, 0.5)]},
  ];
  const {markup} = lineChart('style', 'step', series);
  t.true(markup.includes('points="56,199.2 404,32.8"'), markup);
  t.is(markup.match(/<circle/g)!.length, 3);
  // The middle of the plot.
  t.true(markup.includes('<circle cx="230" cy="116"'));
  t.true(markup.includes('a &#38; b'));
  t.false(markup.includes('NaN'));
});
