import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {captionOf, tellAll} from '../../../lib/datasets/world/captions.ts';
import {Choices} from '../../../lib/datasets/world/choices.ts';
import {drawFactors, drawPortrait, drawScene} from '../../../lib/datasets/world/draw-factors.ts';
import {objectColors} from '../../../lib/datasets/world/objects.ts';
import {styleNames, styleOf} from '../../../lib/datasets/world/styles.ts';
import {
  backgroundWords,
  expressionWords,
  kindWords,
  layoutWords,
  styleWords,
} from '../../../lib/datasets/world/words.ts';

const seeds = fc.integer({min: 0, max: 2 ** 32 - 1});
const hasOneOf = (text: string, words: readonly string[]) => words.some(word => text.includes(word));

testProp('a caption names style and palette', [seeds], (t, seed) => {
  const choices = new Choices(seed);
  const factors = drawFactors(choices);
  const caption = captionOf(factors, choices, tellAll);
  t.true(hasOneOf(caption, styleWords[factors.style.name]), caption);
  t.true(caption.includes(styleOf(factors.style.name).palettes[factors.style.palette]!.words), caption);
});

testProp(
  'a caption of a scene names kind and background, and the colour where it shows',
  [seeds],
  (t, seed) => {
    const choices = new Choices(seed);
    const scene = drawScene(choices);
    const caption = captionOf(scene, choices, tellAll);
    t.true(hasOneOf(caption, kindWords[scene.object.kind].flat()), caption);
    t.true(hasOneOf(caption, backgroundWords[scene.background]), caption);
    if (styleOf(scene.style.name).showsColor) t.true(caption.includes(scene.object.color), caption);
  },
);

testProp('a caption of a portrait names expression and background', [seeds], (t, seed) => {
  const choices = new Choices(seed);
  const portrait = drawPortrait(choices);
  const caption = captionOf(portrait, choices, tellAll);
  t.true(hasOneOf(caption, expressionWords[portrait.expression]), caption);
  t.true(hasOneOf(caption, backgroundWords[portrait.background]), caption);
  if (portrait.person.glasses !== 'none') t.true(caption.includes('glasses'), caption);
});

testProp('what a caption is not to tell, it does not', [seeds], (t, seed) => {
  const choices = new Choices(seed);
  const factors = drawFactors(choices);
  const plain = captionOf(factors, choices, {tellsStyle: false, tellsLayout: false, tellsLook: false});
  t.false(
    hasOneOf(
      plain,
      styleNames.flatMap(name => styleWords[name]),
    ),
    plain,
  );
  t.false(hasOneOf(plain, Object.values(layoutWords).flat()), plain);
  t.false(/glasses|hair|beard|moustache|goatee|two|three/.test(plain), plain);
  if (factors.type === 'scene')
    t.false(
      objectColors.some(color => plain.startsWith(`a ${color}`)),
      plain,
    );
});

test('words vary: one picture has many captions, and a seed one', t => {
  const scene = drawScene(new Choices(0));
  const captions = Array.from({length: 60}, (_, seed) => captionOf(scene, new Choices(seed), tellAll));
  t.true(new Set(captions).size > 30);
  t.is(captionOf(scene, new Choices(5), tellAll), captions[5]!);
});
