import test from 'ava';
import {ArgumentError} from '../../lib/errors.ts';
import type {GenerateOptions} from '../../lib/pipelines/generate-options.ts';
import {rowsOf} from '../../lib/pipelines/rows.ts';
import {instruct, none, plus, resolved} from '../_helpers/resolved-samples.ts';

/** How a single image is read. */
const one = {imageWeights: [1], combine: 'concat'} as const;

test('single values stand for all samples of the longest list', t => {
  const {samples} = resolved(
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
    samples.map(({prompt, negativePrompt, conditions, seed}) => ({
      prompt,
      negativePrompt,
      instruction: conditions[0]?.instruction,
      seed,
    })),
    [
      {prompt: 'a', negativePrompt: 'n', instruction: 'style', seed: 5},
      {prompt: 'b', negativePrompt: 'n', instruction: 'face', seed: 6},
    ],
  );
});

test('numImagesPerPrompt repeats each sample with the seeds that follow', t => {
  const {samples} = resolved({prompt: ['a', 'b'], seed: [10, 20], numImagesPerPrompt: 2}, none);
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
  const {samples} = resolved(
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
  const images = ['c.png'];
  t.deepEqual(
    rowsOf(samples, 'plain').map(({branch, text, tokens}) => [branch.kind, branch.coefficient, text, tokens]),
    [
      ['full', 2, 'P', [{...one, images, content: '', instruction: 'use the object', prompt: 'P'}]],
      ['everything', 3, 'N', [{...one, images, content: '', instruction: 'everything', prompt: 'P'}]],
      ['image-only', -2, 'N', [{...one, images, content: '', instruction: 'N', prompt: 'N'}]],
      ['unconditional', -2, 'N', [{...one, images: undefined, content: '', instruction: '', prompt: 'N'}]],
    ],
  );
});

test('conditions: each has an adapter, an instruction and a weight; all samples share them', t => {
  const adapters = [...instruct, {name: 'face', readsInstruction: false}];
  const conditions = [
    {image: 'a.png', instruction: 'use the style', scale: 0.5},
    {image: ['b.png', 'c.png'], adapter: 'face', end: 0.5, mask: 'm.png'},
  ];
  const {slots, samples} = resolved({prompt: ['p', 'q'], conditions}, adapters);
  t.deepEqual(
    slots.map(({adapter, scale, start, end, mask}) => [adapter.name, scale, start, end, mask]),
    [
      [undefined, 0.5, 0, 1, undefined],
      ['face', 0.7, 0, 0.5, 'm.png'],
    ],
  );
  for (const sample of samples) {
    t.deepEqual(sample.conditions, [
      {...one, images: ['a.png'], instruction: 'use the style', negContentPrompt: ''},
      {...one, images: ['b.png', 'c.png'], imageWeights: [1, 1], instruction: '', negContentPrompt: ''},
    ]);
  }
});

test('guidance is three-way where any of the instructions asks for it', t => {
  const modes = (...instructions: string[]) => {
    const conditions = instructions.map(instruction => ({image: 'a.png', instruction}));
    const {samples} = resolved({prompt: '', conditions, instructGuidanceScale: 2}, instruct);
    return samples[0]!.branches.map(({kind}) => kind);
  };
  t.deepEqual(modes('use the style', 'use the face'), ['full', 'unconditional']);
  t.deepEqual(modes('use the style', 'use the pose'), ['full', 'everything', 'image-only']);
});

const refused: [string, GenerateOptions, typeof instruct, RegExp][] = [
  [
    'conditions beside an image of their own',
    {prompt: '', ipAdapterImage: 'c.png', conditions: [{image: 'a.png'}]},
    instruct,
    /^ipAdapterImage: expected it within conditions/,
  ],
  [
    'a condition of an adapter that is not loaded',
    {prompt: '', conditions: [{image: 'a.png', adapter: 'pose'}]},
    instruct,
    /^conditions\[0\].adapter: expected a loaded adapter \(the pipeline's own\), got 'pose'/,
  ],
  [
    'a condition without an adapter',
    {prompt: '', conditions: [{image: 'a.png'}]},
    none,
    /\(none\), got no name/,
  ],
  [
    'a condition without an image',
    {prompt: '', conditions: [{image: []}]},
    plus,
    /conditions\[0\].image: expected/,
  ],
  [
    'weights of other images',
    {prompt: '', conditions: [{image: ['a.png', 'b.png'], imageWeights: [1]}]},
    plus,
    /^conditions\[0\].imageWeights: expected 2 finite numbers/,
  ],
  [
    'an unknown combination',
    {prompt: '', conditions: [{image: 'a.png', combine: 'mix' as 'add'}]},
    plus,
    /^conditions\[0\].combine: expected one of concat, add/,
  ],
  [
    "a condition's instruction that is not read",
    {prompt: '', conditions: [{image: 'a.png', instruction: 'x'}]},
    plus,
    /^conditions\[0\].instruction: expected an instruct adapter/,
  ],
  [
    "a condition's span the wrong way round",
    {prompt: '', conditions: [{image: 'a.png', start: 0.6, end: 0.5}]},
    plus,
    /^conditions\[0\].start: expected at most conditions\[0\].end/,
  ],
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
    t.throws(() => resolved(options, adapter), {instanceOf: ArgumentError, message});
  });
}
