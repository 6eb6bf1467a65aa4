import test from 'ava';
import {measureInTurns, summarize} from '../../bench/measure.ts';
import {type BenchReport, type BenchRow, compareReports, milliseconds} from '../../bench/report.ts';

function row(name: string, oursSeconds: number): BenchRow {
  const ours = {min: oursSeconds, median: oursSeconds, max: oursSeconds};
  return {
    name,
    device: 'cpu',
    dtype: 'float32',
    shape: '[1]',
    oursSeconds,
    pytorchSeconds: null,
    ratio: null,
    floorSeconds: oursSeconds / 2,
    ours,
    pytorch: null,
  };
}

function report(...rows: readonly BenchRow[]): BenchReport {
  return {rows} as unknown as BenchReport;
}

test('a comparison names what became slower by more than the threshold, and nothing else', t => {
  const before = report(row('steady', 1), row('slower', 1), row('faster', 1), row('gone', 1));
  const after = report(row('steady', 1.05), row('slower', 1.2), row('faster', 0.5), row('new', 9));
  const {slower, text} = compareReports(before, after, 0.1);
  t.deepEqual(slower, ['slower, float32, [1]']);
  t.regex(text, /slower .*\+20\.0 % +slower/);
  t.regex(text, /faster .*-50\.0 %/);
  t.notRegex(text, /gone|new/);
});

test('the median of an even number of times lies between the middle two', t => {
  t.deepEqual(summarize([4, 1, 3, 2]), {min: 1, median: 2.5, max: 4});
  t.deepEqual(summarize([3, 1, 2]), {min: 1, median: 2, max: 3});
});

test('sides take turns', async t => {
  const log: string[] = [];
  const side = (name: string) => ({
    run: async () => {
      log.push(name);
      return 1;
    },
  });
  await measureInTurns([side('a'), side('b')], 3, true);
  t.is(log.join(''), 'ababab');
});

test('milliseconds have four digits, and none where nothing was measured', t => {
  t.is(milliseconds(0.0123456), '12.35');
  t.is(milliseconds(5.9), '5900');
  t.is(milliseconds(12.3456), '12346');
  t.is(milliseconds(null), '-');
});
