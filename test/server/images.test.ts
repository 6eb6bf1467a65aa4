import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import sharp from 'sharp';
import {encodePng} from '../../lib/images/write-image.ts';
import {blockPreset} from '../../lib/pipelines/block-presets.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {createServer} from '../../lib/server/create-server.ts';
import type {ImageServer} from '../../lib/server/server-options.ts';
import {eventsOf} from '../_helpers/event-stream.ts';
import {noiseImage} from '../_helpers/image-fixtures.ts';

const small = {
  prompt: 'a lighthouse',
  height: 64,
  width: 64,
  numInferenceSteps: 2,
  scheduler: 'euler',
  seed: 5,
};

let pipeline: IPAdapterInstructPipeline;
let server: ImageServer;
let condition: Buffer;

test.before(async () => {
  pipeline = await IPAdapterInstructPipeline.random({size: 'tiny'});
  server = await createServer({pipeline, maxDelay: 0});
  condition = await encodePng(noiseImage(40, 30));
});

test.after.always(async () => {
  await server.drain();
  await pipeline.dispose();
});

function post(body: object, headers: Record<string, string> = {}) {
  return server.app.inject({method: 'POST', url: '/v1/images', payload: body, headers});
}

/** A form with a JSON part and files, as clients send it. */
async function formOf(request: object, files: Readonly<Record<string, Uint8Array>>) {
  const form = new FormData();
  form.set('request', JSON.stringify(request));
  for (const [name, bytes] of Object.entries(files)) form.set(name, new Blob([bytes]), 'picture');
  const response = new Response(form);
  return {
    payload: Buffer.from(await response.arrayBuffer()),
    headers: {'content-type': response.headers.get('content-type')!},
  };
}

test('a job is the picture that the pipeline makes of it, as JSON and as a PNG', async t => {
  const ipAdapterImage = condition.toString('base64');
  const job = {...small, instruction: 'use the style'};
  const json = await post({...job, ipAdapterImage});
  t.is(json.statusCode, 200, json.body);
  const [image] = json.json().images;
  const {png, ...rest} = image;
  t.deepEqual(rest, {seed: 5, instruction: 'use the style', width: 64, height: 64});
  const expected = await pipeline.generate({...job, ipAdapterImage: new Uint8Array(condition)});
  const pixels = await sharp(Buffer.from(png, 'base64')).raw().toBuffer();
  t.deepEqual(new Uint8Array(pixels), expected.images[0]!.image!.data);

  const alone = await post({...job, ipAdapterImage}, {accept: 'image/png'});
  t.is(alone.headers['content-type'], 'image/png');
  t.is(alone.headers['x-seed'], '5');
  t.deepEqual(alone.rawPayload, Buffer.from(png, 'base64'));
});

test('a form with files says the same as JSON with base64', async t => {
  const job = {...small, instructions: ['use the style', 'use the face']};
  const negative = await encodePng(noiseImage(20, 20));
  const form = await formOf(job, {ipAdapterImage: condition, unconditionalImage: negative});
  const [fromForm, fromJson] = [
    await server.app.inject({method: 'POST', url: '/v1/images', ...form}),
    await post({
      ...job,
      ipAdapterImage: condition.toString('base64'),
      unconditionalImage: negative.toString('base64'),
    }),
  ];
  t.is(fromForm.statusCode, 200, fromForm.body);
  t.deepEqual(fromForm.json(), fromJson.json());
  t.deepEqual(
    fromForm
      .json()
      .images.map(({seed, instruction}: {seed: number; instruction: string}) => [seed, instruction]),
    [
      [5, 'use the style'],
      [5, 'use the face'],
    ],
  );
});

test('the image of the unconditional branch is a kind or a picture, and the scale a preset or a list', async t => {
  const request = {...small, guidance: 'simple', ipAdapterImage: condition.toString('base64')};
  const expected = {...small, guidance: 'simple', ipAdapterImage: new Uint8Array(condition)} as const;
  const pictures: Uint8Array[] = [];
  for (const [asked, meant] of [
    [{}, {}],
    [{unconditionalImage: 'noise'}, {unconditionalImage: 'noise'}],
    [{unconditionalImage: request.ipAdapterImage}, {unconditionalImage: expected.ipAdapterImage}],
    [{ipAdapterScale: 'instantstyle:style:0.5'}, {ipAdapterScale: blockPreset('instantstyle:style', 0.5)}],
    [{ipAdapterScale: Array(10).fill(0.3)}, {ipAdapterScale: 0.3}],
  ] as const) {
    const {statusCode, body} = await post({...request, ...asked});
    t.is(statusCode, 200, body);
    const pixels = await sharp(Buffer.from(JSON.parse(body).images[0].png, 'base64'))
      .raw()
      .toBuffer();
    const {images} = await pipeline.generate({...expected, ...meant});
    t.deepEqual(new Uint8Array(pixels), images[0]!.image!.data);
    pictures.push(images[0]!.image!.data);
  }
  t.is(new Set(pictures.map(data => data.join())).size, pictures.length);
});

test('events tell of a job in order, and a preview is a picture', async t => {
  const request = {...small, numInferenceSteps: 4, previewEvery: 1};
  const {body, headers, statusCode} = await post(request, {accept: 'text/event-stream'});
  t.is(statusCode, 200);
  t.is(headers['content-type'], 'text/event-stream');
  const events = eventsOf(body);
  const names = events.map(({event}) => event);
  t.deepEqual(
    names.filter(name => name !== 'preview'),
    ['queued', 'start', 'step', 'step', 'step', 'step', 'picture'],
  );
  t.deepEqual(
    events.filter(({event}) => event === 'step').map(({data}) => data),
    [0, 1, 2, 3].map(step => ({job: 0, step, totalSteps: 4})),
  );
  t.is(names.at(-1), 'picture');
  const preview = events.find(({event}) => event === 'preview');
  t.is((await sharp(Buffer.from(preview!.data.png, 'base64')).metadata()).width, 64);
  const plain = await post({...small, numInferenceSteps: 4});
  t.is(events.at(-1)!.data.png, plain.json().images[0].png);
});

test('jobs of several clients share a batch', async t => {
  const {app, drain} = await createServer({pipeline, batchSize: 2, maxDelay: 1e5});
  const inject = (prompt: string) =>
    app.inject({
      method: 'POST',
      url: '/v1/images',
      payload: {...small, prompt},
      headers: {accept: 'text/event-stream'},
    });
  const answers = await Promise.all([inject('a'), inject('b')]);
  for (const {body} of answers) {
    t.is(eventsOf(body).find(({event}) => event === 'start')?.data.batchSize, 2);
  }
  const metrics = (await app.inject('/metrics')).body;
  t.regex(metrics, /^ipai_pictures_total 2$/m);
  t.regex(metrics, /^ipai_batch_size_bucket\{le="1"\} 0$/m);
  t.regex(metrics, /^ipai_batch_size_bucket\{le="2"\} 1$/m);
  t.regex(metrics, /^ipai_step_seconds_count 1$/m);
  t.regex(metrics, /^ipai_jobs_waiting 0$/m);
  t.regex(metrics, /^ipai_requests_cancelled_total 0$/m);
  t.regex(metrics, /^ipai_requests_total\{route="\/v1\/images",status="200"\} 2$/m);
  t.regex(metrics, /^ipai_device_memory_bytes\{device="cpu",kind="bufferBytes"\} \d+$/m);
  await drain();
});

test('info says what may be asked for', async t => {
  const info = (await server.app.inject('/v1/info')).json();
  t.is(info.device, 'cpu');
  t.true(info.adapters.readsInstruction);
  t.is(info.limits.maxSide, 1024);
  t.is(info.tasks.length, 9);
  t.true(info.defaults.width % 8 === 0);
});

test('what a job cannot be is said, and by whom', async t => {
  for (const [body, message] of [
    [{...small, widht: 64}, /widht/],
    [{...small, width: 65}, /multiple of 8/],
    [{...small, width: 2048}, /1024/],
    [{...small, numInferenceSteps: 101}, /100/],
    [{...small, scheduler: 'fastest'}, /scheduler/],
    [{...small, prompt: 'x'.repeat(5000)}, /4000/],
    [{...small, promptSyntax: 'bold'}, /promptSyntax/],
    [
      {...small, promptSyntax: 'weighted', negativePrompt: 'a BREAK '.repeat(20)},
      /negativePrompt: .* 16 chunks/,
    ],
    [{...small, promptSyntax: 'weighted', prompt: `(a:1${'0'.repeat(400)})`}, /finite weights/],
    [{...small, guidanceScale: 1e30}, /1000/],
    [{...small, instruction: 'a', instructions: ['b']}, /either/],
    [{...small, instructions: []}, /instructions/],
    [[], /object/],
  ] as const) {
    const {statusCode, body: text} = await post(body);
    t.is(statusCode, 400, text);
    const {error} = JSON.parse(text);
    t.is(error.code, 'invalid-argument');
    t.regex(error.message, message);
  }
  const several = await post({...small, instructions: ['a', 'b']}, {accept: 'image/png'});
  t.is(several.statusCode, 406);
});

const numbers = fc.oneof(fc.constantFrom(-1000, -1, 0, 1, 1000), fc.double({min: -2, max: 20, noNaN: true}));

testProp(
  'no number that a request may have is the fault of the server',
  [
    fc.record(
      {
        width: fc.constantFrom(8, 16, 24, 64),
        guidanceScale: numbers,
        guidanceRescale: numbers,
        instructGuidanceScale: numbers,
        ipAdapterScale: numbers,
        ipAdapterStart: numbers,
        eta: numbers,
        strength: numbers,
        clipSkip: fc.nat(20),
        promptSyntax: fc.constantFrom('plain', 'weighted'),
        prompt: fc.constantFrom('(a:1.3)', '[a BREAK', '(a:0) (b:-2)', `(a:1${'0'.repeat(40)})`, '(a:-1000)'),
        guidance: fc.constantFrom('auto', 'simple', 'three-way'),
        scheduler: fc.constantFrom('ddim', 'lcm', 'heun', 'nothing'),
        withImage: fc.boolean(),
      },
      {requiredKeys: ['withImage']},
    ),
  ],
  async (t, {withImage, ...options}) => {
    const ipAdapterImage = condition.toString('base64');
    const job = {...small, height: 16, width: 16, ...options, ...(withImage && {ipAdapterImage})};
    const {statusCode, body} = await post(job);
    t.true(statusCode === 200 || statusCode === 400, body);
  },
  {numRuns: 30},
);
