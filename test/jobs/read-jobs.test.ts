import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {ArgumentError, FileError} from '../../lib/errors.ts';
import {readJobs} from '../../lib/jobs/read-jobs.ts';
import {blockPreset} from '../../lib/pipelines/block-presets.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

async function jobFile(t: ExecutionContext, ...lines: readonly unknown[]): Promise<string> {
  const path = join(await tempFolder(t), 'jobs.jsonl');
  const text = lines.map(line => (typeof line === 'string' ? line : JSON.stringify(line)));
  await writeFile(path, text.join('\n'));
  return path;
}

test('jobs have names, seeds of their names, defaults, and paths relative to their file', async t => {
  const path = await jobFile(
    t,
    {
      id: 'fox',
      prompt: 'a (fox)',
      promptSyntax: 'weighted',
      ipAdapterImage: 'a/b.png',
      seed: 3,
      numInferenceSteps: 9,
    },
    '',
    {prompt: 'a boat', ipAdapterScale: 'instantstyle:style'},
  );
  const [fox, boat, ...others] = await readJobs(path, {numInferenceSteps: 4, autoScale: true});
  t.deepEqual(others, []);
  t.is(fox!.id, 'fox');
  t.deepEqual(fox!.options, {
    prompt: 'a (fox)',
    promptSyntax: 'weighted',
    ipAdapterImage: join(path, '../a/b.png'),
    seed: 3,
    numInferenceSteps: 9,
    autoScale: true,
  });
  t.deepEqual(fox!.given['ipAdapterImage'], 'a/b.png');
  t.is(boat!.id, '000003');
  const {seed, ...options} = boat!.options as {readonly seed: number};
  t.deepEqual(options as object, {
    prompt: 'a boat',
    ipAdapterScale: blockPreset('instantstyle:style'),
    numInferenceSteps: 4,
    autoScale: true,
  });
  // The first 32 bits of sha256('000003').
  t.is(seed, 0x86e0fa41);
  t.deepEqual(await readJobs(path, {numInferenceSteps: 4, autoScale: true}), [fox, boat]);
});

test('a priority is none of the picture: what is given is the same', async t => {
  const [plain] = await readJobs(await jobFile(t, {id: 'a', prompt: 'b'}));
  const [urgent, wrong] = await readJobs(
    await jobFile(t, {id: 'a', prompt: 'b', priority: 2}, {prompt: 'c', priority: 0.5}),
  );
  t.deepEqual(urgent, {...plain!, priority: 2});
  t.true(wrong!.options instanceof ArgumentError);
});

test('a line that is no job is told with its place, and the others are jobs', async t => {
  const path = await jobFile(
    t,
    '{"prompt": "cut off',
    {id: 'x', prompt: 'a', steps: 3},
    {prompt: 'b', height: -1, width: 'c'},
    '[1]',
    {id: '../y', prompt: 'd'},
    {prompt: 'e'},
  );
  const jobs = await readJobs(path);
  t.deepEqual(
    jobs.map(({id}) => id),
    ['000001', 'x', '000003', '000004', '000005', '000006'],
  );
  const problems = jobs.map(({options}) => (options instanceof ArgumentError ? options.message : 'a job'));
  t.regex(problems[0]!, /jobs\.jsonl:1: expected a JSON object/);
  t.regex(problems[1]!, /jobs\.jsonl:2: .*steps/);
  t.regex(problems[2]!, /height: .*width: /);
  t.regex(problems[3]!, /jobs\.jsonl:4: /);
  t.regex(problems[4]!, /id: expected letters/);
  t.is(problems[5], 'a job');
});

test('two jobs of one name, no jobs, and no file are told', async t => {
  const twice = await jobFile(t, {id: 'a', prompt: ''}, {id: 'a', prompt: 'b'});
  await t.throwsAsync(readJobs(twice), {instanceOf: ArgumentError, message: /jobs\.jsonl:2: .*'a' is taken/});
  await t.throwsAsync(readJobs(await jobFile(t, '', ' ')), {instanceOf: ArgumentError});
  await t.throwsAsync(readJobs('/nowhere/jobs.jsonl'), {instanceOf: FileError, message: /nowhere/});
});

test('scales are numbers, lists, blocks or presets; negative images are kinds or paths', async t => {
  const path = await jobFile(
    t,
    {prompt: 'a', ipAdapterScale: [0, 0.5, 1], unconditionalImage: 'noise'},
    {prompt: 'b', ipAdapterScale: 'comfyui:ease-out:0.8', unconditionalImage: 'noise.png'},
    {prompt: 'c', conditions: [{image: 'x.png', scale: 'invokeai:style'}], unconditionalImage: 'black'},
    {prompt: 'd', ipAdapterScale: 'style'},
    {prompt: 'e', ipAdapterScale: 'comfyui:ease-out:'},
    {prompt: 'f', unconditionalImage: ''},
  );
  const options = (await readJobs(path)).map(job => job.options);
  t.like(options[0], {ipAdapterScale: [0, 0.5, 1], unconditionalImage: 'noise'});
  t.like(options[1], {
    ipAdapterScale: blockPreset('comfyui:ease-out', 0.8) as number[],
    unconditionalImage: join(path, '../noise.png'),
  });
  t.like(options[2], {
    conditions: [{image: join(path, '../x.png'), scale: blockPreset('invokeai:style')}],
    unconditionalImage: 'black',
  } as object);
  const problems = options.slice(3).map(one => (one instanceof ArgumentError ? one.message : 'a job'));
  t.regex(problems[0]!, /jobs\.jsonl:4: .*ipAdapterScale: /);
  t.regex(problems[1]!, /jobs\.jsonl:5: .*ipAdapterScale: /);
  t.regex(problems[2]!, /jobs\.jsonl:6: .*unconditionalImage: /);
});
