import test from 'ava';
import {ArgumentError} from '../../lib/errors.ts';
import {cannyEdges} from '../../lib/images/canny.ts';
import {decodeImage} from '../../lib/images/decode-image.ts';
import {resizeLikePil} from '../../lib/images/pil-resize.ts';
import {scribble} from '../../lib/images/scribble.ts';
import type {ControlPreprocess} from '../../lib/pipelines/control-preprocess.ts';
import type {GenerateOptions} from '../../lib/pipelines/generate-options.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {conditionImage, inReference} from '../_helpers/reference-paths.ts';

const size = {width: 72, height: 64};
const base = {prompt: 'a fox', numInferenceSteps: 1, seed: 7, outputType: 'latent', ...size} as const;

const pipeline = await IPAdapterInstructPipeline.load({
  model: inReference('model'),
  controlNets: [inReference('controlnet'), inReference('controlnet')],
});
test.after.always(() => pipeline.dispose());

async function latentsOf(options: Omit<GenerateOptions, 'prompt'>): Promise<Float32Array> {
  const {images} = await pipeline.generate({...base, ...options});
  return images[0]!.latents.data;
}

test('ControlNets read the edges and the lines of pictures in the size of the result', async t => {
  const edges = await cannyEdges(await resizeLikePil(await decodeImage(conditionImage), size, 'lanczos'));
  const lines = await scribble(edges);
  t.deepEqual(
    await latentsOf({
      controlImage: [conditionImage, conditionImage],
      controlPreprocess: ['canny', 'scribble'],
    }),
    await latentsOf({controlImage: [edges, lines]}),
  );
  t.notDeepEqual(
    await latentsOf({controlImage: [conditionImage, conditionImage], controlPreprocess: 'canny'}),
    await latentsOf({controlImage: [conditionImage, conditionImage], controlPreprocess: 'none'}),
  );
});

const pixels = new Float32Array(3 * size.width * size.height);
const refused: readonly [string, Partial<GenerateOptions>, RegExp][] = [
  [
    'an unknown preprocess',
    {controlPreprocess: 'depth' as ControlPreprocess},
    /^controlPreprocess: expected one of none, canny, scribble/,
  ],
  [
    'one too many',
    {controlPreprocess: ['canny', 'canny', 'canny']},
    /^controlPreprocess: expected one value or 2/,
  ],
  [
    'edges of pixels that are taken as they are',
    {controlImage: [{pixels}, conditionImage], controlPreprocess: 'canny'},
    /^controlPreprocess: expected a picture for canny/,
  ],
];
for (const [what, options, message] of refused) {
  test(`refused: ${what}`, async t => {
    const run = latentsOf({controlImage: [conditionImage, conditionImage], ...options});
    await t.throwsAsync(run, {instanceOf: ArgumentError, message});
  });
}
