import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {readCelebA} from '../../../lib/builders/sources/celeba.ts';
import {attributesText} from '../../../lib/builders/sources/celeba-attributes.ts';
import {findCoco, readCoco} from '../../../lib/builders/sources/coco.ts';
import {promptText} from '../../../lib/builders/sources/journey-db.ts';
import {openPictures} from '../../../lib/builders/sources/open-pictures.ts';
import {readPrompts, titleOf} from '../../../lib/builders/sources/prompts.ts';
import {FileError} from '../../../lib/errors.ts';
import {
  celebA,
  coco,
  commonCatalog,
  journeyDb,
  pictureFolders,
  writeTree,
} from '../../_helpers/source-trees.ts';

async function loadAll(source: string, seed = 0) {
  const pictures = [...(await openPictures(source)).shuffled(seed)];
  return Promise.all(pictures.map(async picture => ({name: picture.name, ...(await picture.load())})));
}

test('tables: each row once, with its caption and licence, a row group at a time', async t => {
  const source = await commonCatalog(t);
  const rows = await loadAll(source);
  t.is(rows.length, 12);
  for (const {name, caption, license, bytes} of rows) {
    const [, table, row] = /^part-(\d)\.parquet:(\d+)$/.exec(name)!;
    const number = 6 * Number(table) + Number(row) - 1;
    t.deepEqual([caption, license], [`picture ${number}`, `Attribution ${number % 2}`]);
    t.deepEqual([...bytes.subarray(0, 2)], [0xff, 0xd8]);
  }
  const groups = rows.map(({name}) => name.replace(/:(\d+)$/, (_, row) => `:${Math.floor((row - 1) / 3)}`));
  t.is(groups.filter((group, i) => group !== groups[i - 1]).length, 4);
  t.deepEqual(
    (await loadAll(source)).map(({name}) => name),
    rows.map(({name}) => name),
  );
  t.notDeepEqual(
    (await loadAll(source, 1)).map(({name}) => name),
    rows.map(({name}) => name),
  );
});

test('a folder: captions beside pictures or in metadata.jsonl', async t => {
  const pictures = await loadAll(await pictureFolders(t));
  const sorted = pictures.sort((a, b) => (a.caption! < b.caption! ? -1 : 1));
  t.deepEqual(
    sorted.map(({name, caption, license}) => [name, caption, license]),
    [0, 1, 2, 3, 4, 5, 6].map(i => [
      `coffee_mug-${i % 3}/${i}.jpg`,
      `caption ${i}`,
      i < 4 ? undefined : 'CC0',
    ]),
  );
});

test('JourneyDB: found from its root; prompts lose what is for MidJourney', async t => {
  const source = await openPictures(await journeyDb(t));
  t.is(source.count, 8);
  t.is(promptText('https://a.b/c.png a red fox,  in snow --ar 3:2 --v 5'), 'a red fox, in snow');
  t.is(promptText('<https://s.mj.run/x> a well-known fox'), 'a well-known fox');
  t.is(promptText('fox —ar 16:9'), 'fox');
  t.is(promptText('--ar 1:1'), '');
});

test('COCO: objects with outlines, without crowds and small ones; captions and licences', async t => {
  const folder = await coco(t);
  const [set] = await findCoco(folder);
  t.deepEqual(set, {folder, name: 'train2017'});
  t.deepEqual(await findCoco(join(folder, 'train2017')), [set]);
  const [picture] = await readCoco(set!);
  t.deepEqual(picture!.captions, ['one caption of 1', 'another caption of 1']);
  t.is((await picture!.load()).license, 'Attribution License');
  t.deepEqual(picture!.objects, [
    {
      name: 'sailing boat',
      box: {left: 10, top: 20, width: 61, height: 41},
      outline: [[10.5, 20.5, 70.5, 20.5, 70.5, 60.5, 10.5, 60.5]],
    },
  ]);
});

test('CelebA: persons, landmarks, and attributes in words', async t => {
  const pictures = await readCelebA(await celebA(t, 2));
  t.deepEqual(
    pictures.map(({person}) => person),
    ['100', '100', '101', '101', '102'],
  );
  t.deepEqual(pictures[0]!.landmarks, [
    [38, 40],
    [58, 40],
    [48, 48],
    [40, 58],
    [56, 58],
  ]);
  t.is((await pictures[2]!.load()).caption, 'a photo of a young man with black hair and glasses');
  t.is(
    attributesText(['Smiling', 'Blond_Hair', 'Wearing_Hat', 'Bangs', 'Blurry']),
    'a photo of a smiling woman with blond hair, bangs and a hat',
  );
  t.is(attributesText([]), 'a photo of a woman');
});

test('WikiArt: titles without artists, years, and works that have none', async t => {
  const name = 'Impressionism/claude-monet_water-lilies-1919.jpg';
  const folder = await writeTree(t, {
    [`wikiart/${name}`]: '',
    'wikiart/Cubism/pablo-picasso_the-girl-with-a-dog-1905(1).jpg': '',
    'wikiart/Cubism/pablo-picasso_untitled-1950.jpg': '',
    'wikiart/Cubism/pablo-picasso_1.jpg': '',
    'wikiart/readme.txt': '',
  });
  t.deepEqual(await readPrompts(folder), ['the girl with a dog', 'water lilies']);
  t.is(titleOf('vincent-van-gogh_the-starry-night-1889-2.jpg'), 'the starry night');
  t.is(titleOf('no-artist.jpg'), undefined);
});

const damaged: Readonly<Record<string, (t: ExecutionContext) => Promise<unknown>>> = {
  'JourneyDB: a line that is cut off': async t =>
    openPictures(await writeTree(t, {'train_anno_realease_repath.jsonl': '{"img_path": "./0.jpg", "pro'})),
  'JourneyDB: a path out of the folder': async t =>
    openPictures(
      await writeTree(t, {'train_anno_realease_repath.jsonl': '{"img_path": "../../0.jpg", "prompt": ""}'}),
    ),
  'a table that is none': async t => openPictures(await writeTree(t, {'a.parquet': 'text'})),
  'a folder without pictures': async t => openPictures(await writeTree(t, {'a.txt': 'text'})),
  'a folder that is none': async () => openPictures('/nowhere/at/all'),
  'metadata without names': async t =>
    openPictures(await writeTree(t, {'a.png': '', 'metadata.jsonl': '{"text": "x"}'})),
  'COCO: annotations that are cut off': async t =>
    readCoco({folder: await writeTree(t, {'annotations/instances_x.json': '{"images": ['}), name: 'x'}),
  'COCO: a path out of the set': async t => {
    const instances = {images: [{id: 1, file_name: '../x.jpg'}], annotations: [], categories: []};
    const folder = await writeTree(t, {'annotations/instances_x.json': JSON.stringify(instances)});
    return readCoco({folder, name: 'x'});
  },
  'CelebA: no pictures': async t => readCelebA(await writeTree(t, {'identity_CelebA.txt': '1.jpg 2'})),
  'CelebA: another file of identities': async t =>
    readCelebA(await writeTree(t, {'identity_CelebA.txt': '1.jpg,2', 'img_celeba/1.jpg': ''})),
  'CelebA: landmarks that are cut off': async t =>
    readCelebA(
      await writeTree(t, {
        'identity_CelebA.txt': '1.jpg 2',
        'img_celeba/1.jpg': '',
        'list_landmarks_celeba.txt': '1\nlefteye_x\n1.jpg 1 2 3',
      }),
    ),
  'prompts: an empty file': async t => readPrompts(join(await writeTree(t, {'p.txt': ' \n'}), 'p.txt')),
};

for (const [name, read] of Object.entries(damaged)) {
  test(`damaged: ${name}`, async t => {
    const error = await t.throwsAsync(read(t), {instanceOf: FileError});
    t.regex(error!.message, /expected|cannot be read/);
  });
}
