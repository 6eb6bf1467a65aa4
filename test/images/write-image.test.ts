import fsPromises, {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {syncBuiltinESMExports} from 'node:module';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import anyTest, {type TestFn} from 'ava';
import sharp from 'sharp';
import {ArgumentError, FileError} from '../../lib/errors.ts';
import {decodeImage} from '../../lib/images/decode-image.ts';
import {checkImagePath, writeImage} from '../../lib/images/write-image.ts';
import {noiseImage} from '../_helpers/image-fixtures.ts';

const test = anyTest as TestFn<{folder: string}>;
const image = noiseImage(20, 10);

test.beforeEach(async t => {
  t.context.folder = await mkdtemp(join(tmpdir(), 'write-image-'));
});
test.afterEach.always(t => rm(t.context.folder, {recursive: true}));

test('PNG keeps every pixel, and nothing else is left', async t => {
  const path = join(t.context.folder, 'a.PNG');
  await writeImage(path, image);
  t.deepEqual(new Uint8Array((await decodeImage(path)).data), image.data);
  t.deepEqual(await readdir(t.context.folder), ['a.PNG']);
  t.is((await sharp(path).metadata()).xmp, undefined);
});

test('the ending chooses the format, and each holds the parameters', async t => {
  const parameters = {prompt: `<"cat" & 'dog'>, (fluffy:1.2) ☕ 猫\n`, seed: 4_294_967_295, scale: 0.7};
  for (const [name, format] of [
    ['a.png', 'png'],
    ['a.jpg', 'jpeg'],
    ['a.jpeg', 'jpeg'],
    ['a.webp', 'webp'],
  ] as const) {
    const path = join(t.context.folder, name);
    await writeImage(path, image, {parameters});
    const metadata = await sharp(path).metadata();
    t.is(metadata.format, format);
    const [, text] = /<rdf:li xml:lang="x-default">([^<]*)<\/rdf:li>/.exec(metadata.xmpAsString!)!;
    const json = text!.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
    t.deepEqual(JSON.parse(json), parameters);
  }
});

test('parameters that JPEG cannot hold are an argument error; PNG and WebP hold them', async t => {
  const pathOf = (ending: string) => join(t.context.folder, `a.${ending}`);
  const parameters = {prompt: 'x'.repeat(100_000)};
  await t.throwsAsync(writeImage(pathOf('jpg'), image, {parameters}), {
    instanceOf: ArgumentError,
    message: /60000 bytes.*PNG or WebP/,
  });
  for (const ending of ['png', 'webp']) {
    await writeImage(pathOf(ending), image, {parameters});
    t.true((await sharp(pathOf(ending)).metadata()).xmp!.length > 100_000);
  }
  await writeImage(pathOf('jpg'), image, {parameters: {prompt: 'x'.repeat(59_500)}});
  t.true((await sharp(pathOf('jpg')).metadata()).xmp!.length > 59_500);
});

test('a file that is there is replaced', async t => {
  const path = join(t.context.folder, 'a.png');
  await writeFile(path, 'old');
  await Promise.all([writeImage(path, image), writeImage(path, image)]);
  t.like(await decodeImage(path), {width: 20, height: 10});
  t.deepEqual(await readdir(t.context.folder), ['a.png']);
});

test('places that cannot be written to are file errors, and no partial file is left', async t => {
  const {folder} = t.context;
  await mkdir(join(folder, 'folder.png', 'sub'), {recursive: true});
  await t.throwsAsync(writeImage(join(folder, 'folder.png'), image), {
    instanceOf: FileError,
    message: /folder\.png/,
  });
  const missing = join(folder, 'missing', 'a.png');
  const error = await t.throwsAsync(writeImage(missing, image), {instanceOf: FileError, message: /ENOENT/});
  t.true(error.message.startsWith(`writing '${missing}'`));
  t.is((error.cause as NodeJS.ErrnoException).code, 'ENOENT');
  t.deepEqual(await readdir(folder), ['folder.png']);
});

test.serial('when the disk is full, the partial file is removed and the old one kept', async t => {
  const path = join(t.context.folder, 'a.png');
  await writeFile(path, 'old');
  const original = fsPromises.writeFile;
  fsPromises.writeFile = async (file, data) => {
    const bytes = data as Buffer;
    await original(file, bytes.subarray(0, bytes.length / 2));
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), {code: 'ENOSPC'});
  };
  syncBuiltinESMExports();
  try {
    await t.throwsAsync(writeImage(path, image), {
      instanceOf: FileError,
      message: /a\.png.*ENOSPC.*has room/,
    });
  } finally {
    fsPromises.writeFile = original;
    syncBuiltinESMExports();
  }
  t.deepEqual(await readdir(t.context.folder), ['a.png']);
  t.is(await readFile(path, 'utf8'), 'old');
});

test('a picture that the format cannot hold is a file error', async t => {
  const path = join(t.context.folder, 'a.webp');
  await t.throwsAsync(writeImage(path, noiseImage(16_400, 1)), {
    instanceOf: FileError,
    message: /16400x1.*PNG/,
  });
});

test('endings of other formats and wrong pictures are argument errors', async t => {
  for (const path of ['a', 'a.bmp', 'png', '.png', 7]) {
    t.throws(() => checkImagePath(path as string), {instanceOf: ArgumentError, message: /^output/});
  }
  const wrong = {...image, width: 21};
  await t.throwsAsync(writeImage(join(t.context.folder, 'a.png'), wrong), {instanceOf: ArgumentError});
});
