/**
 * Small source trees in the layouts of the data sets that the paper's were made of, with drawn pictures.
 */
import {mkdir, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {parquetWriteBuffer} from 'hyparquet-writer';
import sharp from 'sharp';
import {renderSample, type SamplePictures} from '../../lib/datasets/world/render-sample.ts';
import {type WorldTask, worldSample} from '../../lib/datasets/world/tasks.ts';
import type {RgbImage} from '../../lib/images/image.ts';
import {tempFolder} from './temp-folder.ts';

const side = 96;

/** Files below a folder, by their paths. */
export async function writeTree(
  t: ExecutionContext,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<string> {
  const folder = await tempFolder(t);
  for (const [path, contents] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), {recursive: true});
    await writeFile(join(folder, path), contents);
  }
  return folder;
}

export function jpeg({width, height, data}: RgbImage): Promise<Buffer> {
  return sharp(data, {raw: {width, height, channels: 3}})
    .jpeg({quality: 95})
    .toBuffer();
}

function drawn(task: WorldTask, number: number): Promise<SamplePictures> {
  return renderSample(worldSample(task, 'train', 7, number), side);
}

async function drawnJpeg(number: number): Promise<Buffer> {
  return jpeg((await drawn('replication', number)).target);
}

/** A damaged picture and one that is not there among them. */
export async function journeyDb(t: ExecutionContext, count = 8): Promise<string> {
  const lines: string[] = [];
  const files: Record<string, string | Uint8Array> = {};
  for (let i = 0; i < count; i++) {
    const path = `00${i % 2}/${i}.jpg`;
    const prompt = `a drawn scene, number ${i} --ar 1:1 --v 5`;
    lines.push(JSON.stringify({img_path: `./${path}`, prompt, Task1: {Caption: 'unused'}}));
    if (i !== 1)
      files[`data/train/imgs/${path}`] = (await drawnJpeg(i)).subarray(0, i === 2 ? 500 : undefined);
  }
  files['data/train/train_anno_realease_repath.jsonl'] = lines.join('\n');
  return writeTree(t, files);
}

/** Two tables of two row groups, with bytes in `jpg` as CommonCatalog has them. */
export async function commonCatalog(t: ExecutionContext, perTable = 6): Promise<string> {
  const files: Record<string, Uint8Array> = {};
  for (let table = 0; table < 2; table++) {
    const numbers = Array.from({length: perTable}, (_, i) => table * perTable + i);
    const buffer = parquetWriteBuffer({
      columnData: [
        {name: 'photoid', data: numbers, type: 'INT32'},
        {name: 'jpg', data: await Promise.all(numbers.map(drawnJpeg)), type: 'BYTE_ARRAY'},
        {name: 'blip2_caption', data: numbers.map(i => `picture ${i}`), type: 'STRING'},
        {name: 'licensename', data: numbers.map(i => `Attribution ${i % 2}`), type: 'STRING'},
      ],
      rowGroupSize: Math.ceil(perTable / 2),
    });
    files[`4/part-${table}.parquet`] = new Uint8Array(buffer);
  }
  return writeTree(t, files);
}

/** Pictures with an object in a box that is also its outline, one that is small, and a crowd. */
export async function coco(t: ExecutionContext, count = 6): Promise<string> {
  const files: Record<string, string | Uint8Array> = {};
  const numbers = Array.from({length: count}, (_, i) => i + 1);
  for (const i of numbers) files[`train2017/${i}.jpg`] = await drawnJpeg(i);
  const object = (image: number, changes: object) => ({
    image_id: image,
    category_id: 1 + (image % 2),
    bbox: [10.5, 20.5, 60, 40],
    area: 2400,
    iscrowd: 0,
    segmentation: [[10.5, 20.5, 70.5, 20.5, 70.5, 60.5, 10.5, 60.5]],
    ...changes,
  });
  files['annotations/instances_train2017.json'] = JSON.stringify({
    info: {},
    licenses: [{id: 3, name: 'Attribution License', url: ''}],
    categories: [
      {id: 1, name: 'teapot', supercategory: 'kitchen'},
      {id: 2, name: 'sailing boat', supercategory: 'vehicle'},
    ],
    images: numbers.map(i => ({id: i, file_name: `${i}.jpg`, width: side, height: side, license: 3})),
    annotations: numbers.flatMap(i => [
      object(i, {}),
      object(i, {area: 900}),
      object(i, {iscrowd: 1, segmentation: {counts: [1, 2], size: [side, side]}}),
    ]),
  });
  files['annotations/captions_train2017.json'] = JSON.stringify({
    annotations: numbers.flatMap(i => [
      {image_id: i, caption: `one caption of ${i}`},
      {image_id: i, caption: ` another caption of ${i} `},
    ]),
  });
  return writeTree(t, files);
}

/** Persons with two pictures each, and one with a single one. */
export async function celebA(t: ExecutionContext, persons = 4): Promise<string> {
  const files: Record<string, string | Uint8Array> = {};
  const rows: {readonly file: string; readonly person: number}[] = [];
  for (let person = 0; person <= persons; person++) {
    const {target, condition} = await drawn('face', person);
    const pictures = person === persons ? [target] : [target, condition];
    for (const picture of pictures) {
      const file = `${rows.length + 1}`.padStart(6, '0').concat('.jpg');
      files[`img_align_celeba/${file}`] = await jpeg(picture);
      rows.push({file, person: person + 100});
    }
  }
  const lines = (parts: readonly string[]) => `${parts.join('\n')}\n`;
  const count = `${rows.length}`;
  files['identity_CelebA.txt'] = lines(rows.map(({file, person}) => `${file} ${person}`));
  files['list_landmarks_align_celeba.txt'] = lines([
    count,
    'lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y ',
    ...rows.map(({file}) => `${file}  38 40  58 40  48 48  40 58  56 58`),
  ]);
  files['list_attr_celeba.txt'] = lines([
    count,
    'Bald Black_Hair Eyeglasses Male Smiling Young ',
    ...rows.map(({file, person}) => `${file} -1  1 ${person % 2 ? 1 : -1}  1 -1  1`),
  ]);
  return writeTree(t, files);
}

/** Pictures with captions beside them or in `metadata.jsonl`, in a folder for each of three objects or persons. */
export async function pictureFolders(t: ExecutionContext): Promise<string> {
  const files: Record<string, string | Uint8Array> = {};
  const lines: string[] = [];
  for (let i = 0; i < 7; i++) {
    const name = `coffee_mug-${i % 3}/${i}`;
    files[`${name}.jpg`] = await drawnJpeg(i);
    if (i < 4) files[`${name}.txt`] = `caption ${i}\n`;
    else lines.push(JSON.stringify({file_name: `${name}.jpg`, text: `caption ${i}`, license: 'CC0'}));
  }
  files['metadata.jsonl'] = lines.join('\n');
  files['notes.md'] = 'no picture';
  return writeTree(t, files);
}
