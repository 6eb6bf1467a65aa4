import {testProp} from '@fast-check/ava';
import fc from 'fast-check';
import {inRounds} from '../../lib/builders/in-rounds.ts';
import {pairs} from '../../lib/builders/pairs.ts';

const sizes = fc.array(fc.nat({max: 6}), {maxLength: 8});
const groupsOf = (lengths: readonly number[]) =>
  lengths.map((length, group) => Array.from({length}, (_, item) => ({group, item})));

testProp(
  'rounds give each item once, and a second of a group after a first of all',
  [sizes, fc.nat()],
  (t, lengths, seed) => {
    const items = [...inRounds(groupsOf(lengths), seed)];
    t.is(
      new Set(items).size,
      lengths.reduce((a, b) => a + b, 0),
    );
    const taken = new Map<number, number>();
    const rounds = items.map(({group}) => {
      taken.set(group, (taken.get(group) ?? 0) + 1);
      return taken.get(group)!;
    });
    t.deepEqual(
      rounds,
      [...rounds].sort((a, b) => a - b),
    );
    t.deepEqual(items, [...inRounds(groupsOf(lengths), seed)]);
  },
);

testProp(
  'pairs are all ordered pairs of different members of a group, each once',
  [sizes, fc.nat()],
  (t, lengths, seed) => {
    const all = [...pairs(groupsOf(lengths), seed)];
    t.true(all.every(({target, condition}) => target.group === condition.group && target !== condition));
    const names = all.map(({target, condition}) => `${target.group} ${target.item} ${condition.item}`);
    t.is(
      new Set(names).size,
      lengths.reduce((sum, n) => sum + n * (n - 1), 0),
    );
    t.is(names.length, new Set(names).size);
  },
);

testProp(
  'each member is a target once before any is a second time',
  [sizes, fc.nat()],
  (t, lengths, seed) => {
    const groups = groupsOf(lengths.filter(length => length > 1));
    const members = groups.flat().length;
    const first = [...pairs(groups, seed)].slice(0, members).map(({target}) => target);
    t.is(new Set(first).size, members);
  },
);
