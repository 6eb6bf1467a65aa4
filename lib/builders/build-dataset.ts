/**
 * The paper's five training sets from the pictures that they were made of, or from a user's own (Rowles et al. 2024, §3.4).
 */
import {basename} from 'node:path';
import {type PaperTask, paperTasks} from '../datasets/instructions/tasks.ts';
import {ArgumentError, invalidArgument} from '../errors.ts';
import type {BuildCard} from './build-card.ts';
import type {Builder} from './builder.ts';
import type {Captioner} from './captions.ts';
import type {Painter} from './painter.ts';
import {type BuildProgress, runBuild} from './run-build.ts';
import {isCelebA, readCelebA} from './sources/celeba.ts';
import {findCoco, readCoco} from './sources/coco.ts';
import {openPictures} from './sources/open-pictures.ts';
import {picturesByFolder} from './sources/picture-folder.ts';
import {readPrompts} from './sources/prompts.ts';
import {type FaceLocator, faceBuilder} from './tasks/face.ts';
import {type ObjectCrop, objectBuilder, objectCrops} from './tasks/object.ts';
import {objectPairsBuilder} from './tasks/object-pairs.ts';
import {compositionBuilder, styleBuilder} from './tasks/painted.ts';
import {replicationBuilder} from './tasks/replication.ts';

/** Which set is built, of which pictures. */
export interface BuildDatasetOptions {
  readonly task: PaperTask;
  /**
   * The folder with the pictures. Of any task, a plain folder of the user's own; beside it, of replication, style and
   * composition JourneyDB or Parquet tables (CommonCatalog), of object COCO, of face CelebA, as they are distributed. In a
   * plain folder, pictures of one object or one person lie in a folder of their own.
   */
  readonly source: string;
  /** Samples. Fewer are made where the source has no more. */
  readonly count: number;
  /** Pixels of the shorter side of pictures, at most. Default: 512. */
  readonly size?: number | undefined;
  /** Of all that is chosen at random. Default: 0. */
  readonly seed?: number | undefined;
  /** Describes pictures. For object and face before what the source says, else where it says nothing. */
  readonly captioner?: Captioner | undefined;
  /** Object, of COCO: what is kept of an object's picture. Default: its box. */
  readonly crop?: ObjectCrop | undefined;
  /** Style: a file with a prompt on each line, or WikiArt's folder, of which the titles are taken. */
  readonly prompts?: string | undefined;
  /** Style and composition: what paints the targets. */
  readonly painter?: Painter | undefined;
  /** Face: finds faces in pictures without landmarks. */
  readonly locator?: FaceLocator | undefined;
  /** Samples that are made at a time, where no painter makes batches. Default: one for each core. */
  readonly concurrency?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called for each draft, those of an earlier run among them. */
  readonly onProgress?: ((event: BuildProgress) => void) | undefined;
}

type Settings = Record<string, string | number>;

interface OpenedBuilder {
  readonly builder: Builder<unknown>;
  /** Those of the task alone. */
  readonly settings: Settings;
}

/**
 * Builds a training set of one task in `folder`: what `openDataset` reads, with `card.json`, `README.md` and
 * `contact-sheet.png`. Ended at any time, it goes on when it is called with the same options; with a larger `count`, it is
 * continued.
 *
 * @throws ArgumentError for options that make no sense, or that the folder was not begun with; FileError where the source
 *   cannot be read or makes no sample; whatever captioner and painter throw; the signal's reason on abort
 */
export async function buildDataset(folder: string, options: BuildDatasetOptions): Promise<BuildCard> {
  const {task, source, count, size = 512, seed = 0, captioner, concurrency, signal, onProgress} = options;
  if (!Number.isInteger(size) || size < 64 || size > 2048) {
    throw invalidArgument('size', 'an integer from 64 to 2048', size);
  }
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw invalidArgument('seed', 'an integer of at least 0', seed);
  const {builder, settings} = await openBuilder(options, {size, seed});
  return runBuild(folder, builder, {
    count,
    seed,
    settings: {
      task,
      source: basename(source),
      size,
      ...(captioner !== undefined && {captions: captioner.description}),
      ...settings,
    },
    concurrency,
    signal,
    onProgress,
  });
}

async function openBuilder(
  options: BuildDatasetOptions,
  {size, seed}: {readonly size: number; readonly seed: number},
): Promise<OpenedBuilder> {
  const {task, source, captioner, locator, crop = 'box'} = options;
  const common = {size, seed, captioner};
  switch (task) {
    case 'replication':
      return opened(replicationBuilder({...common, source: await openPictures(source)}));
    case 'object': {
      if (!objectCrops.includes(crop))
        throw invalidArgument('crop', `one of ${objectCrops.join(', ')}`, crop);
      const sets = await findCoco(source);
      if (sets.length > 1) {
        const names = sets.map(({name}) => name).join(', ');
        throw new ArgumentError(
          `source: expected one set of COCO, got ${names}. Give the folder of one, ${source}/${sets[0]!.name}.`,
        );
      }
      const [set] = sets;
      if (set === undefined) return opened(objectPairsBuilder({...common, objects: await objectsOf(source)}));
      return opened(objectBuilder({...common, crop, pictures: await readCoco(set)}), {crop, set: set.name});
    }
    case 'face':
      return opened(faceBuilder({...common, locator, pictures: await facesOf(source)}));
    case 'style': {
      const {painter, prompts} = options;
      if (painter === undefined || prompts === undefined) throw missing(task, 'painter and prompts');
      const texts = await readPrompts(prompts);
      const builder = styleBuilder({...common, painter, prompts: texts, source: await openPictures(source)});
      return opened(builder, {prompts: basename(prompts), painter: painter.description});
    }
    case 'composition': {
      const {painter} = options;
      if (painter === undefined) throw missing(task, 'painter');
      const builder = compositionBuilder({...common, painter, source: await openPictures(source)});
      return opened(builder, {painter: painter.description});
    }
    default:
      throw invalidArgument('task', `one of ${paperTasks.join(', ')}`, task);
  }
}

function opened<Draft>(builder: Builder<Draft>, settings: Settings = {}): OpenedBuilder {
  return {builder: builder as Builder<unknown>, settings};
}

async function facesOf(source: string) {
  if (isCelebA(source)) return readCelebA(source);
  const persons = await picturesByFolder(source);
  return Array.from(persons, ([person, pictures]) => pictures.map(picture => ({...picture, person}))).flat();
}

/** By what the folders are called: `coffee_mug` has a coffee mug. */
async function objectsOf(source: string) {
  const folders = await picturesByFolder(source);
  return Array.from(folders, ([folder, pictures]) => ({
    name: basename(folder).replaceAll(/[-_]+/g, ' '),
    pictures,
  }));
}

function missing(task: PaperTask, what: string): ArgumentError {
  return new ArgumentError(
    `expected ${what} for the task "${task}", whose targets are painted. Give ${what}.`,
  );
}
