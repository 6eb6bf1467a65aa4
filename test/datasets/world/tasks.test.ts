import test from 'ava';
import type {Factors, Portrait, Scene} from '../../../lib/datasets/world/factors.ts';
import {isHeldOut} from '../../../lib/datasets/world/held-out.ts';
import {layoutNames} from '../../../lib/datasets/world/layouts.ts';
import {objectColors, objectKinds} from '../../../lib/datasets/world/objects.ts';
import {hairForms} from '../../../lib/datasets/world/portrait/person.ts';
import {splits} from '../../../lib/datasets/world/splits.ts';
import {styleNames, styleOf} from '../../../lib/datasets/world/styles.ts';
import {type WorldTask, worldSample, worldTasks} from '../../../lib/datasets/world/tasks.ts';
import {kindWords, layoutWords, styleWords} from '../../../lib/datasets/world/words.ts';

const samplesOf = (task: WorldTask, split: (typeof splits)[number], count = 300) =>
  Array.from({length: count}, (_, index) => worldSample(task, split, 11, index));

const scene = (factors: Factors) => factors as Scene;
const portrait = (factors: Factors) => factors as Portrait;

test('training and validation show nothing that is held out; each target of a test set is', t => {
  for (const task of worldTasks) {
    for (const split of ['train', 'validation'] as const) {
      for (const {target, condition} of samplesOf(task, split)) {
        t.false(isHeldOut(target), task);
        t.false(isHeldOut(condition.factors), task);
      }
    }
    for (const {target} of samplesOf(task, 'test')) t.true(isHeldOut(target), task);
  }
});

test('each part of what is held out is shown in training with other parts', t => {
  const pictures = worldTasks.flatMap(task => samplesOf(task, 'train').map(({target}) => target));
  const scenes = pictures.filter(({type}) => type === 'scene').map(scene);
  const portraits = pictures.filter(({type}) => type === 'portrait').map(portrait);
  const values = <T>(of: readonly T[]) => new Set(of).size;
  t.is(values(scenes.map(({object}) => object.kind)), objectKinds.length);
  t.is(values(scenes.map(({style}) => style.name)), styleNames.length);
  t.is(values(scenes.map(({layout}) => layout.name)), layoutNames.length);
  t.is(values(portraits.map(({person}) => person.hair)), hairForms.length);
  t.is(values(portraits.map(({style}) => style.name)), styleNames.length);
});

test('a target prompt tells what the prompt leaves to the condition; faces have none', t => {
  for (const {prompt, targetPrompt} of samplesOf('replication', 'train')) t.is(targetPrompt, prompt);
  for (const {target, targetPrompt} of samplesOf('style', 'train')) {
    t.true(styleWords[target.style.name].some(words => targetPrompt!.includes(words)));
  }
  for (const {target, targetPrompt} of samplesOf('object', 'train')) {
    const {object, style} = scene(target);
    if (styleOf(style.name).showsColor) t.true(targetPrompt!.includes(object.color));
  }
  const places = samplesOf('composition', 'train').filter(({target, targetPrompt}) =>
    layoutWords[scene(target).layout.name].some(words => targetPrompt!.includes(words)),
  );
  t.true(places.length > 0.6 * 300);
  for (const {targetPrompt} of samplesOf('face', 'train')) t.is(targetPrompt, undefined);
});

test('a seed gives a sample', t => {
  for (const task of worldTasks) {
    t.deepEqual(worldSample(task, 'train', 3, 9), worldSample(task, 'train', 3, 9));
    t.notDeepEqual(worldSample(task, 'train', 3, 9), worldSample(task, 'train', 3, 10));
    t.notDeepEqual(worldSample(task, 'train', 3, 9), worldSample(task, 'train', 4, 9));
  }
});

for (const split of splits) {
  test(`${split}: what condition and target share is what the task takes`, t => {
    for (const {target, condition, prompt} of samplesOf('replication', split)) {
      t.is(condition.factors, target);
      t.true(styleWords[target.style.name].some(words => prompt.includes(words)));
    }
    for (const {target, condition, prompt} of samplesOf('style', split)) {
      t.deepEqual(target.style, condition.factors.style);
      t.false(
        Object.values(styleWords)
          .flat()
          .some(words => prompt.includes(words)),
        prompt,
      );
      if (target.type === 'scene' && condition.factors.type === 'scene') {
        t.not(target.object.kind, condition.factors.object.kind);
      }
    }
    for (const {target, condition, prompt, objectName} of samplesOf('object', split)) {
      const {object} = scene(target);
      t.deepEqual(object, scene(condition.factors).object);
      t.is(objectName, kindWords[object.kind][0]![0]);
      t.false(
        objectColors.some(color => prompt.includes(`${color} ${objectName}`)),
        prompt,
      );
      t.regex(condition.crop!.padding, /^#[0-9a-f]{6}$/);
    }
    for (const {target, condition} of samplesOf('composition', split)) {
      t.deepEqual(scene(target).layout, scene(condition.factors).layout);
      t.not(scene(target).object.kind, scene(condition.factors).object.kind);
      t.not(target.style.name, condition.factors.style.name);
    }
    for (const {target, condition, prompt} of samplesOf('face', split)) {
      t.deepEqual(portrait(target).person, portrait(condition.factors).person);
      t.notRegex(prompt, /hair|glasses|beard|moustache|goatee/);
    }
  });
}

test('the caption of a condition tells its style, and is the prompt where the condition is the target', t => {
  for (const task of worldTasks) {
    for (const {condition, conditionPrompt, prompt} of samplesOf(task, 'train', 50)) {
      const {name} = condition.factors.style;
      t.true(
        styleWords[name].some(words => conditionPrompt.includes(words)),
        conditionPrompt,
      );
      if (task === 'replication') t.is(conditionPrompt, prompt);
    }
  }
});

test('half of the conditions of faces are zoomed in', t => {
  const conditions = samplesOf('face', 'train', 1000).map(({condition}) => portrait(condition.factors));
  const zoomed = conditions.filter(({pose}) => pose.zoom > 1.2).length;
  t.true(zoomed > 440 && zoomed < 560, `${zoomed} of 1000`);
});
