import {createHash} from 'node:crypto';
import test from 'ava';
import {expandTemplate} from '../../../lib/datasets/instructions/grammar.ts';
import {instructionPool} from '../../../lib/datasets/instructions/instruction-pool.ts';
import {foreignKeywords} from '../../../lib/datasets/instructions/keywords.ts';
import {furtherTasks, instructedTasks, paperTasks} from '../../../lib/datasets/instructions/tasks.ts';
import {templates} from '../../../lib/datasets/instructions/templates.ts';

const splits = ['train', 'validation', 'test'] as const;

test('a template gives all its sentences, in order', t => {
  t.deepEqual(expandTemplate('use it'), ['use it']);
  t.deepEqual(expandTemplate('{take|use} {|only} this'), [
    'take this',
    'take only this',
    'use this',
    'use only this',
  ]);
  t.deepEqual(expandTemplate('{a {b|c}|d} e'), ['a b e', 'd e', 'a c e', 'd e']);
  t.deepEqual(expandTemplate('a{|, b} {|c} .'), ['a.', 'a c.', 'a, b.', 'a, b c.']);
});

for (const task of instructedTasks) {
  test(`${task}: at least 1000 to train with, others to validate and test with, none twice`, t => {
    const pools = splits.map(split => instructionPool(task, split));
    t.true(pools[0]!.length >= 1000);
    t.true(pools[1]!.length >= 100 && pools[2]!.length >= 100);
    const all = pools.flat().map(sentence => sentence.toLowerCase());
    t.is(new Set(all).size, all.length);
    for (const sentence of all) t.regex(sentence, /^\S+( \S+)+$/);
  });

  test(`${task}: no instruction has another task's keyword`, t => {
    for (const split of splits) {
      for (const sentence of instructionPool(task, split))
        t.deepEqual(foreignKeywords(task, sentence), [], sentence);
    }
  });

  test(`${task}: lengths and openings vary, and a call gives what the last gave`, t => {
    const pool = instructionPool(task, 'train');
    const lengths = new Set(pool.map(sentence => sentence.split(' ').length));
    t.true(lengths.size >= 8, `${[...lengths]}`);
    t.true(new Set(pool.map(sentence => sentence.split(' ')[0])).size >= 12);
    t.deepEqual(instructionPool(task, 'train'), pool);
  });
}

test('an instruction for an object has the word that its name replaces', t => {
  for (const split of splits) {
    for (const sentence of instructionPool('object', split)) t.regex(sentence, /\bobject\b/);
  }
});

test('the filter finds keywords in any case, and as parts of words', t => {
  t.deepEqual(foreignKeywords('style', 'Take the FACE'), ['face']);
  t.deepEqual(foreignKeywords('style', 'the surface and the compositions'), ['composition', 'face']);
  t.deepEqual(foreignKeywords('face', 'the identity of the face'), []);
  t.deepEqual(foreignKeywords('replication', 'everything in this style'), ['style']);
});

test("pools of the paper's tasks are those that models were trained with", t => {
  const sha256 = createHash('sha256');
  for (const task of paperTasks) {
    for (const split of splits) sha256.update(instructionPool(task, split).join('\n'));
  }
  t.is(sha256.digest('hex'), 'edb1fa1d74257747f93ac752b50bb3ff8f6fd0ecba998af897b4467b69c3a763');
});

test("the paper's tasks may speak of what further tasks take, but not the other way round", t => {
  t.deepEqual(
    foreignKeywords('style', 'the style and colours, for another pose, foreground or background'),
    [],
  );
  t.deepEqual(foreignKeywords('colour', 'the colours of the style'), ['style']);
  t.deepEqual(foreignKeywords('pose', 'the color before this background'), ['color', 'background']);
});

test('templates of each further task can say what the released weights were asked with', t => {
  for (const task of furtherTasks) {
    t.true(templates[task].flatMap(expandTemplate).includes(`use the ${task}`), task);
  }
});
