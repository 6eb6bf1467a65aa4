/**
 * COCO as it is distributed (Lin et al. 2014): `annotations/instances_SET.json`, beside it `captions_SET.json` where it is
 * there, and the pictures in the folder SET, such as `train2017`.
 */
import {existsSync} from 'node:fs';
import {readdir} from 'node:fs/promises';
import {basename, dirname, join, resolve} from 'node:path';
import {z} from 'zod';
import {FileError} from '../../errors.ts';
import type {Region} from '../../images/crop-image.ts';
import {groupBy} from '../group-by.ts';
import type {SourcePicture} from './picture-source.ts';
import {readSourceFile} from './read-source.ts';

/** An object in a picture. */
export interface CocoObject {
  /** The category's name. */
  readonly name: string;
  /** In pixels. */
  readonly box: Region;
  /** Polygons of its outline, x and y by turns, in pixels. */
  readonly outline: readonly (readonly number[])[];
}

export interface CocoPicture extends SourcePicture {
  readonly captions: readonly string[];
  /** Without crowds and what COCO calls small. */
  readonly objects: readonly CocoObject[];
}

/** COCO's own bound between small and medium objects: 32² pixels. */
export const smallestObject = 32 ** 2;

/** Where a set lies. */
export interface CocoSet {
  readonly folder: string;
  readonly name: string;
}

/** The sets with pictures in `folder`; or the one set of which it has the pictures. */
export async function findCoco(folder: string): Promise<CocoSet[]> {
  const own = {folder: dirname(resolve(folder)), name: basename(resolve(folder))};
  if (existsSync(annotationsPath(own, 'instances'))) return [own];
  const files = await readdir(join(folder, 'annotations')).catch(() => []);
  const names = files.flatMap(file => /^instances_(.+)\.json$/.exec(file)?.[1] ?? []);
  return names.filter(name => existsSync(join(folder, name))).map(name => ({folder, name}));
}

function annotationsPath({folder, name}: CocoSet, kind: 'instances' | 'captions'): string {
  return join(folder, 'annotations', `${kind}_${name}.json`);
}

/** Pictures that have an object, in the order of their numbers. @throws FileError where annotations are damaged */
export async function readCoco(set: CocoSet): Promise<CocoPicture[]> {
  const instances = await readJson(annotationsPath(set, 'instances'), instancesFile);
  const {images, annotations, categories, licenses} = instances;
  const captionsPath = annotationsPath(set, 'captions');
  const captions = existsSync(captionsPath) ? await readJson(captionsPath, captionsFile) : {annotations: []};
  const categoryNames = new Map(categories.map(({id, name}) => [id, name]));
  const licenseNames = new Map(licenses.map(({id, name}) => [id, name]));
  const texts = groupBy(captions.annotations, ({image_id}) => image_id);
  const objects = groupBy(annotations, ({image_id}) => image_id);
  return images
    .toSorted((a, b) => a.id - b.id)
    .map(({id, file_name, license}) => ({
      name: `${set.name}/${file_name}`,
      load: async () => ({
        bytes: await readSourceFile(join(set.folder, set.name, file_name)),
        license: license === undefined ? undefined : licenseNames.get(license),
      }),
      captions: (texts.get(id) ?? []).map(({caption}) => caption.trim()),
      objects: (objects.get(id) ?? []).flatMap(annotation => objectOf(annotation, categoryNames) ?? []),
    }))
    .filter(picture => picture.objects.length > 0);
}

const instancesFile = z.object({
  images: z.array(
    z.object({
      id: z.number(),
      file_name: z.string().refine(name => !name.split(/[\\/]/).includes('..'), 'a name in the set'),
      license: z.number().optional(),
    }),
  ),
  annotations: z.array(
    z.object({
      image_id: z.number(),
      category_id: z.number(),
      bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
      area: z.number(),
      iscrowd: z.union([z.literal(0), z.literal(1)]),
      // Crowds have run lengths in place of polygons.
      segmentation: z.union([z.array(z.array(z.number())), z.looseObject({})]),
    }),
  ),
  categories: z.array(z.object({id: z.number(), name: z.string()})),
  licenses: z.array(z.object({id: z.number(), name: z.string()})).default([]),
});

const captionsFile = z.object({
  annotations: z.array(z.object({image_id: z.number(), caption: z.string()})),
});

type Annotation = z.infer<typeof instancesFile>['annotations'][number];

function objectOf(
  {category_id, bbox, area, iscrowd, segmentation}: Annotation,
  names: ReadonlyMap<number, string>,
): CocoObject | undefined {
  const name = names.get(category_id);
  if (name === undefined || iscrowd === 1 || area < smallestObject) return undefined;
  const [x, y, width, height] = bbox;
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const box = {left, top, width: Math.ceil(x + width) - left, height: Math.ceil(y + height) - top};
  return {name, box, outline: Array.isArray(segmentation) ? segmentation : []};
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const text = (await readSourceFile(path)).toString('utf8');
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    const reason =
      cause instanceof z.ZodError ? z.prettifyError(cause).split('\n')[0] : (cause as Error).message;
    throw new FileError(`${path}: expected annotations in COCO's form: ${reason}. Unpack the file again.`, {
      cause,
    });
  }
}
