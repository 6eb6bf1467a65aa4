/**
 * Captions of a plain folder of pictures, in `KEY.txt` beside each: the layout that many trainers read.
 */
import {readdir} from 'node:fs/promises';
import {join, parse} from 'node:path';
import {FileError, invalidArgument, LanguageModelError, UnusableAnswerError} from '../errors.ts';
import {writeWholeFile} from '../files/write-whole-file.ts';
import {type DecodedImage, decodeImage} from '../images/decode-image.ts';
import {isPictureFile, pictureEndings} from '../images/picture-files.ts';
import {captionPicture} from '../language/caption-picture.ts';
import type {LanguageModel} from '../language/language-model.ts';
import type {DatasetProblem} from './dataset-sample.ts';

/** How many pictures are asked about at a time. */
export interface CaptionFolderOptions {
  /** Pictures at a time. Default: 4. */
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
  /** Called after each picture. */
  readonly onProgress?: (progress: {readonly done: number; readonly count: number}) => void;
}

/** What became of a folder's pictures. */
export interface CaptionedFolder {
  readonly captioned: number;
  /** How many had a caption before, which they keep. */
  readonly kept: number;
  /** Pictures that are left out. */
  readonly problems: readonly DatasetProblem[];
}

/** In a row: one picture that a server breaks down over stops nothing, a server that is gone does. */
const mostFailures = 5;

/**
 * Writes a caption for each picture that has none, several at a time. However it ends, what was written is whole and
 * stays, and another call goes on from there.
 *
 * @throws FileError where the folder cannot be read or written, or holds no picture
 * @throws LanguageModelError where no answer is to be had for five pictures in a row
 */
export async function captionFolder(
  model: LanguageModel,
  folder: string,
  {concurrency = 4, signal, onProgress}: CaptionFolderOptions = {},
): Promise<CaptionedFolder> {
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw invalidArgument('concurrency', 'an integer of 1 or more', concurrency);
  const {waiting, kept} = await listPictures(folder);
  const problems: DatasetProblem[] = [];
  let [captioned, failures] = [0, 0];

  const captionOne = async ([captionName, name]: readonly [string, string]) => {
    signal?.throwIfAborted();
    const place = join(folder, name);
    const result = await askForCaption(model, place, signal);
    failures = result instanceof LanguageModelError ? failures + 1 : 0;
    if (failures === mostFailures) throw result;
    if (typeof result === 'string') {
      await writeWholeFile(join(folder, captionName), [Buffer.from(`${result}\n`)]);
      captioned++;
    } else {
      problems.push({place, reason: result.message});
    }
    onProgress?.({done: captioned + problems.length, count: waiting.size});
  };

  await forEachOf([...waiting], captionOne, concurrency);
  return {captioned, kept, problems};
}

interface Pictures {
  /** Names of pictures by those of the captions that they lack. Of pictures that would share one, the first. */
  readonly waiting: ReadonlyMap<string, string>;
  readonly kept: number;
}

async function listPictures(folder: string): Promise<Pictures> {
  const names = await readdir(folder).catch((cause: Error) => {
    throw new FileError(`${folder}: expected a folder of pictures, but ${cause.message}. Check the path.`, {
      cause,
    });
  });
  const pictures = names.filter(isPictureFile).sort();
  if (pictures.length === 0) {
    throw new FileError(
      `${folder}: expected pictures (${pictureEndings.join(', ')}), but it holds none. Give the folder they lie in.`,
    );
  }
  const existing = new Set(names);
  const waiting = new Map<string, string>();
  let kept = 0;
  for (const name of pictures) {
    const captionName = `${parse(name).name}.txt`;
    if (existing.has(captionName)) kept++;
    else if (!waiting.has(captionName)) waiting.set(captionName, name);
  }
  return {waiting, kept};
}

/** A caption, or why the picture has none. */
async function askForCaption(
  model: LanguageModel,
  path: string,
  signal: AbortSignal | undefined,
): Promise<string | FileError | UnusableAnswerError | LanguageModelError> {
  let image: DecodedImage;
  try {
    image = await decodeImage(path);
  } catch (error) {
    if (error instanceof FileError) return error;
    throw error;
  }
  try {
    return await captionPicture(model, {...image, channels: 3}, signal && {signal});
  } catch (error) {
    if (error instanceof UnusableAnswerError || error instanceof LanguageModelError) return error;
    throw error;
  }
}

/** Calls `work` for several items at a time. After an error it begins no other, and throws when those begun have ended. */
async function forEachOf<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  concurrency: number,
): Promise<void> {
  const errors: unknown[] = [];
  let next = 0;
  const loop = async () => {
    while (next < items.length && errors.length === 0)
      await work(items[next++]!).catch((error: unknown) => errors.push(error));
  };
  await Promise.all(Array.from({length: Math.min(concurrency, items.length)}, loop));
  if (errors.length > 0) throw errors[0];
}
