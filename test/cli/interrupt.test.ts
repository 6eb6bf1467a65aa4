import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {type CliOptions, runCli} from '../_helpers/run-cli.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const longWork = ['generate', '--random', 'tiny', '--prompt', 'x', '--steps', '500', '--output'];

/** Sends a signal once, as soon as denoising has begun. */
function interruptAtFirstStep(signal: NodeJS.Signals): NonNullable<CliOptions['onStderr']> {
  let sent = false;
  return (text, child) => {
    if (!sent && text.includes('step 1/')) sent = child.kill(signal);
  };
}

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} in the middle of a generation ends it and leaves no file behind`, async t => {
    const folder = await tempFolder(t);
    const args = [...longWork, join(folder, 'x.png'), '--json'];
    const result = await runCli(args, {onStderr: interruptAtFirstStep(signal)});
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
  const result = await runCli([...longWork, output], {onStderr: interruptAtFirstStep('SIGINT')});
  t.is(result.exitCode, 130);
  t.deepEqual(await readdir(folder), ['x.png']);
});
