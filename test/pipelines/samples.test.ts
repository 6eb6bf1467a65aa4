import test from 'ava';
import {ArgumentError} from '../../lib/errors.ts';
import type {GenerateOptions} from '../../lib/pipelines/generate-options.ts';
import {rowsOf} from '../../lib/pipelines/rows.ts';
import {resolveSamples} from '../../lib/pipelines/samples.ts';

const instruct = {loaded: true, readsInstruction: true};
const plus = {loaded: true, readsInstruction: false};
const none = {loaded: false, readsInstruction: false};

test('single values stand for all samples of the longest list', t => {
  const samples = resolveSamples(
    {
      prompt: ['a', 'b'],
      negativePrompt: 'n',
      ipAdapterImage: 'c.png',
      instruction: ['style', 'face'],
      seed: 5,
    },
    instruct,
  );
  t.deepEqual(
    samples.map(({prompt, negativePrompt, instruction, seed}) => ({
      prompt,
      negativePrompt,
      instruction,
      seed,
    })),
    [
      {prompt: 'a', negativePrompt: 'n', instruction: 'style', seed: 5},
      {prompt: 'b', negativePrompt: 'n', instruction: 'face', seed: 6},
    ],
  );
});

test('numImagesPerPrompt repeats each sample with the seeds that follow', t => {
  const samples = resolveSamples({prompt: ['a', 'b'], seed: [10, 20], numImagesPerPrompt: 2}, none);
  t.deepEqual(
    samples.map(({prompt, seed}) => [prompt, seed]),
    [
      ['a', 10],
      ['a', 11],
      ['b', 20],
      ['b', 21],
    ],
  );
});

test('rows of three-way guidance read what the released code reads', t => {
  const samples = resolveSamples(
    {
      prompt: 'P',
      negativePrompt: 'N',
      instruction: 'use the object',
      ipAdapterImage: 'c.png',
      guidanceScale: 5,
      instructGuidanceScale: 2,
      imageGuidanceScale: 3,
    },
    instruct,
  );
  t.deepEqual(
    rowsOf(samples).map(({branch, text, tokens}) => [branch.kind, branch.coefficient, text, tokens]),
    [
      ['full', 2, 'P', {imageOf: 0, instruction: 'use the object', prompt: 'P'}],
      ['everything', 3, 'N', {imageOf: 0, instruction: 'everything', prompt: 'P'}],
      ['image-only', -2, 'N', {imageOf: 0, instruction: 'N', prompt: 'N'}],
      ['unconditional', -2, 'N', {imageOf: undefined, instruction: '', prompt: 'N'}],
    ],
  );
});

const refused: [string, GenerateOptions, typeof instruct, RegExp][] = [
  [
    'lists of different lengths',
    {prompt: ['a', 'b'], negativePrompt: ['x', 'y', 'z']},
    none,
    /expected one value or 3/,
  ],
  ['an image without an adapter', {prompt: '', ipAdapterImage: 'c.png'}, none, /expected a loaded adapter/],
  [
    'an instruction that the adapter would ignore',
    {prompt: '', ipAdapterImage: 'c.png', instruction: 'style'},
    plus,
    /would ignore it/,
  ],
  [
    'an instruction without an image',
    {prompt: '', instruction: 'style'},
    instruct,
    /expected an ipAdapterImage/,
  ],
  [
    'three-way guidance of an adapter without instructions',
    {prompt: '', ipAdapterImage: 'c.png', guidance: 'three-way'},
    plus,
    /expected an instruct adapter/,
  ],
  ['an unknown guidance', {prompt: '', guidance: 'best' as never}, none, /auto, simple, three-way/],
  ['a scale that is not finite', {prompt: '', guidanceScale: Number.NaN}, none, /finite/],
  ['a negative seed', {prompt: '', seed: -1}, none, /integer from 0/],
  ['too few seeds', {prompt: ['a', 'b', 'c'], seed: [1, 2]}, none, /expected/],
  ['a prompt that is no text', {prompt: 7 as never}, none, /expected a string/],
  ['no images per prompt', {prompt: '', numImagesPerPrompt: 0}, none, /at least 1/],
];
for (const [name, options, adapter, message] of refused) {
  test(`refuses ${name}`, t => {
    t.throws(() => resolveSamples(options, adapter), {instanceOf: ArgumentError, message});
  });
}
