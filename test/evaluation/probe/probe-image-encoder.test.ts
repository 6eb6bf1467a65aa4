import test from 'ava';
import {Engine} from '../../../lib/engine/engine.ts';
import {ArgumentError, FileError} from '../../../lib/errors.ts';
import {probeImageEncoder} from '../../../lib/evaluation/probe/probe-image-encoder.ts';
import {loadImageEncoder} from '../../../lib/pipelines/load-encoders.ts';
import {openDevice} from '../../../lib/runtime/device.ts';
import {inReference} from '../../_helpers/reference-paths.ts';
import {runCli} from '../../_helpers/run-cli.ts';
import {drawnSet} from '../../_helpers/tiny-evaluation.ts';

const folder = inReference('image_encoder');
const encoder = await loadImageEncoder({engine: new Engine(openDevice('cpu')), dtype: 'float32'}, folder);

test('even random weights tell scenes from portraits, and styles better than chance', async t => {
  const dataset = await drawnSet(t, 160);
  const factors = new Map((await probeImageEncoder(encoder, dataset, 160)).map(found => [found.name, found]));
  const [type, style, kind] = [factors.get('type')!, factors.get('style')!, factors.get('objectKind')!];
  t.is(type.allTokens.count, 40);
  t.true(type.allTokens.accuracy > type.allTokens.chance);
  t.true(style.allTokens.accuracy > 1.5 * style.allTokens.chance);
  // Of scenes alone.
  t.true(kind.classToken.count < 40);
  t.is(kind.classToken.chance, kind.allTokens.chance);

  const {stdout, exitCode} = await runCli([
    'probe',
    folder,
    '--dataset',
    dataset,
    '--samples',
    '160',
    '--json',
  ]);
  t.is(exitCode, 0);
  t.deepEqual(JSON.parse(stdout).factors, JSON.parse(JSON.stringify([...factors.values()])));
});

test('prints a row for each factor', async t => {
  const {stdout, exitCode} = await runCli([
    'probe',
    folder,
    '--dataset',
    await drawnSet(t, 40),
    '--samples',
    '40',
  ]);
  t.is(exitCode, 0);
  t.regex(stdout, /^factor +class token, % +all tokens, % +chance, % +pictures\ntype +\d+ +\d+ +\d+ +10\n/);
});

test('says what it wants', async t => {
  const dataset = await drawnSet(t, 10);
  const tooFew = await t.throwsAsync(probeImageEncoder(encoder, dataset, 4), {instanceOf: ArgumentError});
  t.regex(tooFew!.message, /samples: expected an integer from 8 but received 4/);
  const tooMany = await t.throwsAsync(probeImageEncoder(encoder, dataset, 11), {instanceOf: FileError});
  t.regex(tooMany!.message, /expected 11 samples, got 10/);
});
