/**
 * Answers on disk: one file each, named by the hash of all that determines the answer.
 */
import {createHash, randomUUID} from 'node:crypto';
import {mkdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {z} from 'zod';
import {FileError} from '../errors.ts';
import type {CompletionRequest, LanguageModel} from './language-model.ts';

/** The prompt is there for who looks into the folder. */
const entry = z.object({prompt: z.string(), answer: z.string()});

/**
 * Asks the model only what it has not answered before. Processes may share a folder: files appear whole or not at all,
 * and what is no such file is asked for again.
 *
 * @param folder made where there is none
 * @returns a model whose `complete` throws a FileError, too, where the folder cannot be read or written
 */
export function cached(model: LanguageModel, folder: string): LanguageModel {
  return {
    identity: model.identity,
    async complete(request) {
      const path = join(folder, `${keyOf(model, request)}.json`);
      const known = await readAnswer(path);
      if (known !== undefined) return known;
      const answer = await model.complete(request);
      await writeAnswer(folder, path, {prompt: request.prompt, answer});
      return answer;
    },
  };
}

function keyOf({identity}: LanguageModel, {prompt, images = [], attempt = 0}: CompletionRequest): string {
  const pictures = images.map(({width, height, data}) => [width, height, sha256(data)]);
  return sha256(JSON.stringify({identity, prompt, pictures, attempt}));
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

async function readAnswer(path: string): Promise<string | undefined> {
  try {
    return entry.parse(JSON.parse(await readFile(path, 'utf8'))).answer;
  } catch (cause) {
    const {code} = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || cause instanceof SyntaxError || cause instanceof z.ZodError) return undefined;
    throw cannotBeUsed(path, cause);
  }
}

async function writeAnswer(folder: string, path: string, content: z.infer<typeof entry>): Promise<void> {
  const partial = `${path}.partial-${randomUUID()}`;
  try {
    await mkdir(folder, {recursive: true});
    await writeFile(partial, JSON.stringify(content), {flush: true});
    await rename(partial, path);
  } catch (cause) {
    await rm(partial, {force: true}).catch(() => undefined);
    throw cannotBeUsed(path, cause);
  }
}

function cannotBeUsed(path: string, cause: unknown): FileError {
  return new FileError(
    `${path}: expected a file of the cache of answers that can be read and written, but ${(cause as Error).message}. ` +
      'Give the cache a folder of its own, on a disk with room.',
    {cause},
  );
}
