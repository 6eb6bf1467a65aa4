import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {instructionPool} from '../../lib/datasets/instructions/instruction-pool.ts';
import {writeImage} from '../../lib/images/write-image.ts';
import {chatServer, withStatus} from '../_helpers/chat-server.ts';
import {runCli} from '../_helpers/run-cli.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const noEnvironment = {OPENAI_BASE_URL: '', OPENAI_API_KEY: '', IPAI_LANGUAGE_MODEL: ''};
const gray = {width: 4, height: 4, data: new Uint8Array(48).fill(90)};

test("without a language model, a task's pool comes from the grammar", async t => {
  const file = join(await tempFolder(t), 'colour.txt');
  const args = ['dataset', 'instructions', 'colour', '-o', file, '--json'];
  const {exitCode, stdout, stderr} = await runCli(args, {env: noEnvironment});
  t.is(exitCode, 0, stderr);
  t.deepEqual(JSON.parse(stdout), {file, task: 'colour', count: 1000});
  t.is(
    await readFile(file, 'utf8'),
    instructionPool('colour', 'train')
      .map(line => `${line}\n`)
      .join(''),
  );

  const tooMany = await runCli([...args, '--count', '1001'], {env: noEnvironment});
  t.is(tooMany.exitCode, 1);
  t.regex(tooMany.stderr, /expected an integer from 1 to 1000, .* --language-model/);
});

test('with one, it is asked; the grammar can be had all the same', async t => {
  const folder = await tempFolder(t);
  const [file, cache] = [join(folder, 'pose.txt'), join(folder, 'cache')];
  const server = await chatServer(
    t,
    withStatus(500),
    '1. Use the pose\n2. Keep the pose\n3. Use the pose and face',
  );
  const env = {...noEnvironment, OPENAI_BASE_URL: server.baseUrl, OPENAI_API_KEY: 'sk-secret'};
  const args = ['dataset', 'instructions', 'pose', '-o', file, '--count', '2', '--language-cache', cache];
  for (let run = 0; run < 2; run++) {
    const {exitCode, stdout, stderr} = await runCli([...args, '--language-model', 'small'], {env});
    t.is(exitCode, 0, stderr);
    t.is(stdout, `${file}: 2 instructions\n`);
    t.is(await readFile(file, 'utf8'), 'Use the pose\nKeep the pose\n');
    t.is(server.requests.length, 2);
  }
  t.is(server.requests[1]!.headers.authorization, 'Bearer sk-secret');
  for (const name of await readdir(cache)) t.notRegex(await readFile(join(cache, name), 'utf8'), /secret/);

  const named = {...env, IPAI_LANGUAGE_MODEL: 'small'};
  t.is((await runCli([...args, '--grammar'], {env: named})).exitCode, 0);
  t.is(
    await readFile(file, 'utf8'),
    instructionPool('pose', 'train')
      .slice(0, 2)
      .map(line => `${line}\n`)
      .join(''),
  );
});

test('a task that there is not is wrong usage; a folder that there is not is told before the model is asked', async t => {
  const folder = await tempFolder(t);
  const unknown = await runCli(['dataset', 'instructions', 'mood', '-o', join(folder, 'x.txt')]);
  t.is(unknown.exitCode, 2);
  t.regex(
    unknown.stderr,
    /replication, style, object, composition, face, colour, pose, foreground, background/,
  );

  const server = await chatServer(t, '1. Use the pose');
  const language = ['--language-url', server.baseUrl, '--language-model', 'small'];
  const args = ['dataset', 'instructions', 'pose', '-o', join(folder, 'no', 'x.txt'), ...language];
  t.regex((await runCli(args, {env: noEnvironment})).stderr, /does not exist/);
  t.is(server.requests.length, 0);
});

test('captions of a folder, without what fails', async t => {
  const folder = await tempFolder(t);
  await writeImage(join(folder, 'a.png'), gray);
  await writeImage(join(folder, 'b.png'), gray);
  await writeFile(join(folder, 'b.txt'), 'mine\n');
  await writeFile(join(folder, 'c.png'), 'no picture');
  const server = await chatServer(t, '"A grey square."');
  const args = ['dataset', 'caption', folder, '--language-url', server.baseUrl, '--language-model', 'small'];
  const {exitCode, stdout, stderr} = await runCli([...args, '--json'], {env: noEnvironment});
  t.is(exitCode, 0, stderr);
  t.deepEqual(JSON.parse(stdout), {folder, captioned: 1, kept: 1, leftOut: 1});
  t.regex(stderr, /warning: .*c\.png: .*expected a whole picture/);
  t.is(await readFile(join(folder, 'a.txt'), 'utf8'), 'A grey square.\n');
  t.is(await readFile(join(folder, 'b.txt'), 'utf8'), 'mine\n');
  t.is(server.requests.length, 1);
});

test('captions want a language model, and say how to name one', async t => {
  const folder = await tempFolder(t);
  const {exitCode, stderr} = await runCli(['dataset', 'caption', folder], {env: noEnvironment});
  t.is(exitCode, 1);
  t.regex(stderr, /^error: language model: expected its server's URL.*OPENAI_BASE_URL/);
});

test('stopped by SIGINT while a server is silent, it ends at once and writes nothing', async t => {
  const folder = join(await tempFolder(t), 'set');
  await mkdir(folder);
  await writeImage(join(folder, 'a.png'), gray);
  let stop = () => {};
  const server = await chatServer(t, () => stop());
  const args = ['dataset', 'caption', folder, '--language-url', server.baseUrl, '--language-model', 'small'];
  const {exitCode} = await runCli(args, {
    env: noEnvironment,
    onStart: child => {
      stop = () => child.kill('SIGINT');
    },
  });
  t.is(exitCode, 130);
  t.deepEqual(await readdir(folder), ['a.png']);
});
