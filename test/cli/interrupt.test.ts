import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import sharp from 'sharp';
import {type CliOptions, runCli} from '../_helpers/run-cli.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const longWork = ['generate', '--random', 'tiny', '--prompt', 'x', '--steps', '500', '--output'];

/** Sends a signal once, as soon as a line of progress is there. */
function interruptAt(progress: string, signal: NodeJS.Signals): NonNullable<CliOptions['onStderr']> {
  let sent = false;
  return (text, child) => {
    if (!sent && text.includes(progress)) sent = child.kill(signal);
  };
}

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGUSR2', 140],
] as const) {
  test(`${signal} in the middle of a generation ends it and leaves no file behind`, async t => {
    const folder = await tempFolder(t);
    const args = [...longWork, join(folder, 'x.png'), '--json'];
    const result = await runCli(args, {onStderr: interruptAt('step 1/', signal)});
    t.is(result.exitCode, exitCode);
    t.deepEqual(JSON.parse(result.stdout), {error: {code: 'interrupted', message: 'Interrupted.'}});
    t.false(result.stderr.includes('step 500/'));
    t.deepEqual(await readdir(folder), []);
  });
}

test('an interrupted generation leaves the picture that was there', async t => {
  const folder = await tempFolder(t);
  const output = join(folder, 'x.png');
  const first = ['generate', '--random', 'tiny', '--prompt', 'x', '--steps', '1', '--output', output];
  t.is((await runCli(first)).exitCode, 0);
  const result = await runCli([...longWork, output], {onStderr: interruptAt('step 1/', 'SIGINT')});
  t.is(result.exitCode, 130);
  t.deepEqual(await readdir(folder), ['x.png']);
});

test('of an interrupted generation the pictures that were finished are kept, whole', async t => {
  const folder = await tempFolder(t);
  const size = ['--height', '768', '--width', '768', '--num-images-per-prompt', '6', '--steps', '1'];
  const args = ['generate', '--random', 'tiny', '--prompt', 'x', ...size, '--output', join(folder, 'x.png')];
  const result = await runCli(args, {onStderr: interruptAt('decode 2/6', 'SIGINT')});
  t.is(result.exitCode, 130);
  const kept = (await readdir(folder)).sort();
  t.true(kept.length >= 1 && kept.length < 6, kept.join());
  t.deepEqual(
    kept,
    kept.map((_, index) => `x-${index}.png`),
  );
  for (const name of kept) {
    t.true(result.stderr.includes(`kept: ${join(folder, name)}\n`), name);
    t.is((await sharp(join(folder, name)).stats()).channels.length, 3);
  }
});
