import test from 'ava';
import type {GenerateOptions} from '../../lib/pipelines/generate-options.ts';
import {haveEqualRows, rowsOf} from '../../lib/pipelines/rows.ts';
import {instruct, resolved} from '../_helpers/resolved-samples.ts';

function rows(options: Partial<GenerateOptions>) {
  const all = {prompt: '', ipAdapterImage: 'c.png', instructGuidanceScale: 2, ...options};
  return rowsOf(resolved(all, instruct).samples, 'plain');
}

for (const [what, options, count, equal] of [
  ['one sample', {instruction: 'use the pose'}, 3, true],
  ['samples of one guidance', {prompt: ['a', 'b', 'c'], guidance: 'simple'}, 6, true],
  ['one row a sample', {prompt: ['a', 'b'], guidance: 'simple', guidanceScale: 1}, 2, true],
  ['samples of different guidance', {instruction: ['use the style', 'use the pose']}, 5, false],
  ['the same, in another order', {instruction: ['use the pose', 'use the style']}, 5, false],
] as const) {
  test(`rows of ${what} are ${equal ? '' : 'not '}equal in number`, t => {
    const made = rows(options);
    t.is(made.length, count);
    t.is(haveEqualRows(made), equal);
  });
}
