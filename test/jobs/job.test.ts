import test from 'ava';
import {generationOf, signatureOf} from '../../lib/jobs/job.ts';

const picture = {width: 1, height: 1, channels: 3 as const, data: new Uint8Array(3)};

test('jobs that differ in what a sample has of its own have one signature', t => {
  const first = {prompt: 'a', seed: 1, ipAdapterImage: 'a.png', instruction: 'x', width: 64};
  const second = {width: 64, prompt: 'b', ipAdapterImage: picture, instruction: 'y', negativePrompt: 'c'};
  t.is(signatureOf({...first, seed: 1}), signatureOf({...second, seed: 2}));
});

test('jobs that differ in what samples share, or in what they have at all, have others', t => {
  const base = {prompt: 'a', ipAdapterImage: 'a.png'};
  const others = [
    {...base, width: 64},
    {...base, promptSyntax: 'weighted' as const},
    {...base, instruction: 'x'},
    {...base, ipAdapterScale: {mid: 1}},
    {...base, ipAdapterScale: () => 1},
    {...base, ipAdapterScale: () => 1},
    {...base, controlImage: picture},
    {...base, controlImage: {...picture, data: new Uint8Array(3)}},
    {prompt: 'a'},
  ];
  t.is(new Set([base, ...others].map(signatureOf)).size, others.length + 1);
  t.is(signatureOf({...base, controlImage: picture}), signatureOf({...base, controlImage: {...picture}}));
});

test('a generation has a value for each job of what samples have of their own', t => {
  const jobs = [
    {prompt: 'a', seed: 1, width: 64},
    {prompt: 'b', seed: 2, width: 64, negativePrompt: 'c'},
  ];
  t.deepEqual(generationOf(jobs), {
    width: 64,
    prompt: ['a', 'b'],
    seed: [1, 2],
    negativePrompt: ['', 'c'],
  });
});
