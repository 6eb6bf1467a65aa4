import {readdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import sharp from 'sharp';
import {FileError} from '../../../lib/errors.ts';
import {crc32c} from '../../../lib/training/watch/crc32c.ts';
import {TensorBoardWriter} from '../../../lib/training/watch/tensorboard.ts';
import {decodeMessage, type Message, readEventFile} from '../../_helpers/read-event-file.ts';
import {tempFolder} from '../../_helpers/temp-folder.ts';

const message = (value: unknown) => decodeMessage(value as Buffer);
const text = (value: unknown) => (value as Buffer).toString();
const valuesOf = (event: Message) => message(event.get(5)![0]).get(1)!.map(message);

test('CRC-32C of the vectors of RFC 3720, B.4, and of the check value', t => {
  const rising = Uint8Array.from({length: 32}, (_, i) => i);
  t.is(crc32c(new Uint8Array(32)), 0x8a9136aa);
  t.is(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  t.is(crc32c(rising), 0x46dd794e);
  t.is(crc32c(rising.toReversed()), 0x113fdb5c);
  t.is(crc32c(Buffer.from('123456789')), 0xe3069283);
});

test('scalars and pictures of each step are in the file when write resolves', async t => {
  const folder = join(await tempFolder(t), 'tensorboard');
  const writer = new TensorBoardWriter(folder);
  const read = async () => readEventFile(join(folder, (await readdir(folder))[0]!));
  await writer.write(300, [
    {tag: 'train/loss', scalar: 0.5},
    {tag: 'validation/loss/style', scalar: -2.25},
  ]);
  const [version, start, scalars] = await read();
  t.is(text(version!.get(3)![0]), 'brain.Event:2');
  t.deepEqual(message(start!.get(7)![0]).get(1), [1]);
  t.deepEqual(
    [version, start, scalars].map(event => event!.get(2)),
    [[300], [300], [300]],
  );
  t.true(Math.abs((scalars!.get(1)![0] as number) - Date.now() / 1000) < 60);
  t.deepEqual(
    valuesOf(scalars!).map(value => [text(value.get(1)![0]), value.get(2)![0]]),
    [
      ['train/loss', 0.5],
      ['validation/loss/style', -2.25],
    ],
  );

  const png = await sharp({create: {width: 300, height: 2, channels: 3, background: 'teal'}})
    .png()
    .toBuffer();
  await writer.write(2 ** 40, [{tag: 'samples', png, width: 300, height: 2}]);
  const events = await read();
  t.is(events.length, 4);
  t.deepEqual(events[3]!.get(2), [2 ** 40]);
  const [value] = valuesOf(events[3]!);
  const image = message(value!.get(4)![0]);
  t.deepEqual(
    [1, 2, 3].map(number => image.get(number)![0]),
    [2, 300, 3],
  );
  t.true(png.equals(image.get(4)![0] as Buffer));
});

test('each writer has a file of its own; without values there is none', async t => {
  const folder = await tempFolder(t);
  const [first, second] = [new TensorBoardWriter(folder), new TensorBoardWriter(folder)];
  t.deepEqual(await readdir(folder), []);
  for (const writer of [first, second]) await writer.write(1, [{tag: 'a', scalar: 1}]);
  const names = await readdir(folder);
  t.is(names.length, 2);
  for (const name of names) t.regex(name, /^events\.out\.tfevents\.\d{10}\..+\.\d+\.\d+$/);
});

test('a folder that cannot be written to is told', async t => {
  const file = join(await tempFolder(t), 'file');
  await writeFile(file, '');
  await t.throwsAsync(new TensorBoardWriter(file).write(1, [{tag: 'a', scalar: 1}]), {instanceOf: FileError});
});
