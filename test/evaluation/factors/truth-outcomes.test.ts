import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {Choices} from '../../../lib/datasets/world/choices.ts';
import {drawPortrait, drawScene} from '../../../lib/datasets/world/draw-factors.ts';
import {labelsOf} from '../../../lib/datasets/world/factor-labels.ts';
import type {Portrait, Scene, StyleChoice} from '../../../lib/datasets/world/factors.ts';
import {splits} from '../../../lib/datasets/world/splits.ts';
import {type WorldTask, worldSample, worldTasks} from '../../../lib/datasets/world/tasks.ts';
import {truthOutcomes} from '../../../lib/evaluation/factors/truth-outcomes.ts';
import {shareOf} from '../../../lib/evaluation/outcomes.ts';
import {readOf} from '../../_helpers/read-factors.ts';

const samples = fc.tuple(fc.constantFrom(...worldTasks), fc.constantFrom(...splits), fc.nat(1e6));

testProp(
  'a picture of the target takes all, follows in all, and leaks nothing',
  [samples],
  (t, [task, split, index]) => {
    const {target, condition} = worldSample(task, split, 0, index);
    const read = readOf(labelsOf(target));
    const {taken, leaked, followed} = truthOutcomes({task, condition: condition.factors, target, read});
    t.is(shareOf(taken), 1);
    t.true([0, undefined].includes(shareOf(leaked)));
    t.is(shareOf(followed), task === 'replication' ? undefined : 1);
  },
);

testProp('a copy of the condition takes all and leaks all', [samples], (t, [task, split, index]) => {
  const {target, condition} = worldSample(task, split, 0, index);
  const read = readOf(labelsOf(condition.factors));
  const {taken, leaked} = truthOutcomes({task, condition: condition.factors, target, read});
  t.is(shareOf(taken), 1);
  t.true([1, undefined].includes(shareOf(leaked)));
});

const choices = new Choices(5);
const style = (name: StyleChoice['name']): StyleChoice => ({name, palette: 0});
const cat: Scene = {
  ...drawScene(choices),
  object: {kind: 'cat', color: 'red'},
  layout: {name: 'left', horizon: 0.5, scale: 1, shift: 0, light: 0.5},
  background: 'sea',
  style: style('flat'),
};
const tent: Scene = {
  ...cat,
  object: {kind: 'tent', color: 'blue'},
  background: 'city',
  style: style('comic'),
};
const sitter: Portrait = {
  ...drawPortrait(choices),
  person: {
    skin: 'tan',
    hair: 'bun',
    hairColor: 'grey',
    face: 'oval',
    eyes: 'blue',
    nose: 'long',
    glasses: 'none',
    beard: 'none',
  },
  expression: 'sad',
  background: 'room',
  style: style('chalk'),
};
const outcomes = (
  task: WorldTask,
  condition: Scene | Portrait,
  target: Scene | Portrait,
  shown: Scene | Portrait,
) => truthOutcomes({task, condition, target, read: readOf(labelsOf(shown))});

test('style: takes the style; the condition’s object leaks where the prompt asks for another', t => {
  const target = {...tent, style: cat.style};
  t.deepEqual(outcomes('style', cat, target, {...cat, style: style('neon')}), {
    taken: {style: false},
    leaked: {objectKind: true},
    followed: {background: false, objectKind: false, objectColor: false},
  });
  const portrait = {...sitter, style: cat.style};
  t.deepEqual(outcomes('style', cat, portrait, cat).leaked, {type: true, objectKind: true});
  t.deepEqual(outcomes('style', sitter, {...tent, style: sitter.style}, tent).leaked, {type: false});
});

test('object: takes kind and colour, the colour where the prompt’s style shows it; the style leaks', t => {
  const target = {...cat, background: 'room', style: style('woodcut')} as const;
  t.deepEqual(outcomes('object', cat, target, {...cat, background: 'room'}), {
    taken: {objectKind: true},
    leaked: {style: true},
    followed: {style: false, background: true},
  });
  t.deepEqual(outcomes('object', cat, {...target, style: style('comic')}, target).taken, {
    objectKind: true,
    objectColor: true,
  });
});

test('composition: takes the layout; object and style leak', t => {
  t.deepEqual(outcomes('composition', cat, tent, {...tent, object: cat.object}), {
    taken: {layout: true},
    leaked: {objectKind: true, style: false},
    followed: {style: true, background: true, objectKind: false, objectColor: false},
  });
});

test('face: takes what is seen of the person; what differs in the target leaks', t => {
  const target: Portrait = {...sitter, background: 'sea', style: style('blueprint')};
  const seen = {hair: true, face: true, nose: false, glasses: true, beard: true};
  const shown: Portrait = {...target, person: {...sitter.person, nose: 'wide'}, background: 'room'};
  t.deepEqual(outcomes('face', sitter, target, shown), {
    taken: seen,
    leaked: {style: false, background: true},
    followed: {style: true, background: false, expression: true},
  });
});

test('captions tell of glasses and beards that are there, and of the colour of hair that is', t => {
  const told = (person: Partial<Portrait['person']>) => {
    const target = {...sitter, person: {...sitter.person, ...person}};
    return Object.keys(outcomes('style', {...cat, style: sitter.style}, target, target).followed).sort();
  };
  t.deepEqual(told({}), ['background', 'expression', 'hair', 'hairColor']);
  t.deepEqual(told({hair: 'bald', glasses: 'round', beard: 'full'}), [
    'background',
    'beard',
    'expression',
    'glasses',
    'hair',
  ]);
});

test('replication takes every factor; a scene in place of a portrait has none that is a portrait’s', t => {
  const {taken, leaked, followed} = outcomes('replication', sitter, sitter, {...cat, style: sitter.style});
  t.deepEqual(leaked, {});
  t.deepEqual(followed, {});
  t.deepEqual(
    Object.keys(taken).filter(name => taken[name as 'style']),
    ['style'],
  );
  t.is(Object.keys(taken).length, Object.keys(labelsOf(sitter)).length);
});
