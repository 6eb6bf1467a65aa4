import {spawn} from 'node:child_process';
import {readdir} from 'node:fs/promises';
import {setTimeout} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {loadNewestCheckpoint} from '../../lib/training/checkpoint.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const script = fileURLToPath(new URL('../_helpers/save-checkpoints.ts', import.meta.url));
const kills = 50;

/** Runs the script until some time after its first checkpoint, and returns the last step that it says is saved. */
async function saveUntilKilled(folder: string, milliseconds: number): Promise<number> {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise(resolve => child.on('close', resolve));
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await Promise.race([ended, new Promise(resolve => child.stdout.once('data', resolve))]);
  await setTimeout(milliseconds);
  child.kill('SIGKILL');
  await ended;
  return Number(said.trim().split('\n').at(-1));
}

test('killed at any moment, fifty times: the newest checkpoint is whole, and none that was saved is lost', async t => {
  t.timeout(300_000);
  const folder = await tempFolder(t);
  let partials = 0;
  for (let kill = 0; kill < kills; kill++) {
    const saved = await saveUntilKilled(folder, Math.random() * 40);
    const names = await readdir(folder);
    partials += names.filter(name => name.endsWith('.partial')).length;
    const {progress, state} = (await loadNewestCheckpoint(folder, {weights: 'adapter.safetensors'}))!;
    const {step} = progress;
    t.true(step === saved || step === saved + 1, `${step} after ${saved}`);
    t.deepEqual(progress, {step, optimizerSteps: step, sampler: {draws: step, taken: {}, waiting: []}});
    t.deepEqual(
      [...state].map(([name, {data}]) => [name, data.every(value => value === step)]),
      [
        ['matrix', true],
        ['vector', true],
      ],
    );
  }
  t.log(`${partials} of ${kills} kills left a checkpoint half-written`);
});
