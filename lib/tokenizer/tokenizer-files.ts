import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {FileError} from '../errors.ts';

/** What CLIP's special tokens are called, by their role. */
export interface SpecialTokens {
  readonly bos: string;
  readonly eos: string;
  readonly pad: string;
  readonly unknown: string;
}

/** The contents of a tokenizer folder. */
export interface TokenizerFiles {
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly merges: readonly (readonly [string, string])[];
  readonly specialTokens: SpecialTokens;
  /** Tokens of an encoded text, both markers and padding included. */
  readonly modelMaxLength: number;
}

const END_OF_TEXT = '<|endoftext|>';
/** CLIP's own, for folders that name none. */
export const CLIP_SPECIAL_TOKENS: SpecialTokens = {
  bos: '<|startoftext|>',
  eos: END_OF_TEXT,
  pad: END_OF_TEXT,
  unknown: END_OF_TEXT,
};
/** `pairKey` of the encoder needs ids below this. */
export const MAX_TOKEN_ID = 2 ** 24 - 1;
export const CLIP_MAX_LENGTH = 77;
/** Above this, `model_max_length` is the "no limit was saved" of transformers (1e30), not a length. */
const MAX_PLAUSIBLE_LENGTH = 1_000_000;

type Json = Record<string, unknown>;

/**
 * Reads a tokenizer folder of a diffusers model: `vocab.json` and `merges.txt`, or the one `tokenizer.json`
 * that newer transformers write instead; `tokenizer_config.json` and `special_tokens_map.json` where present,
 * the latter winning.
 */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  const config = (await readJson(join(folder, 'tokenizer_config.json'))) ?? {};
  const specialMap = (await readJson(join(folder, 'special_tokens_map.json'))) ?? {};
  const {vocabulary, merges} = (await readVocabAndMerges(folder)) ?? (await readTokenizerJson(folder));

  const special = (key: string, fallback: string): string =>
    tokenText(specialMap[key]) ?? tokenText(config[key]) ?? fallback;
  const specialTokens = {
    bos: special('bos_token', CLIP_SPECIAL_TOKENS.bos),
    eos: special('eos_token', CLIP_SPECIAL_TOKENS.eos),
    pad: special('pad_token', CLIP_SPECIAL_TOKENS.pad),
    unknown: special('unk_token', CLIP_SPECIAL_TOKENS.unknown),
  };
  for (const [role, token] of Object.entries(specialTokens)) {
    if (!vocabulary.has(token)) {
      throw damaged(folder, `the ${role} token '${token}' in the vocabulary`, 'none');
    }
  }
  return {vocabulary, merges, specialTokens, modelMaxLength: modelMaxLength(folder, config)};
}

async function readVocabAndMerges(
  folder: string,
): Promise<Pick<TokenizerFiles, 'vocabulary' | 'merges'> | undefined> {
  const vocabPath = join(folder, 'vocab.json');
  const mergesPath = join(folder, 'merges.txt');
  const vocab = await readJson(vocabPath);
  const mergesText = await readText(mergesPath);
  if (!vocab || mergesText === undefined) return undefined;
  const vocabulary = parseVocabulary(vocabPath, vocab);
  const lines = mergesText.split('\n').filter(line => line.trim() !== '' && !line.startsWith('#version'));
  return {
    vocabulary,
    merges: lines.map((line, i) => parseMerge(mergesPath, i, line.trim().split(' '), vocabulary)),
  };
}

async function readTokenizerJson(folder: string): Promise<Pick<TokenizerFiles, 'vocabulary' | 'merges'>> {
  const path = join(folder, 'tokenizer.json');
  const json = await readJson(path);
  if (!json) {
    throw new FileError(
      `${folder}: expected a CLIP tokenizer, that is 'vocab.json' with 'merges.txt', or ` +
        "'tokenizer.json'; found neither. Give the 'tokenizer' folder of the model.",
    );
  }
  const model = isObject(json['model']) ? json['model'] : {};
  if (!isObject(model['vocab']) || !Array.isArray(model['merges'])) {
    throw damaged(path, "an object with 'model.vocab' and 'model.merges'", 'something else');
  }
  const vocabulary = parseVocabulary(path, model['vocab']);
  const merges = model['merges'].map((merge: unknown, i) =>
    parseMerge(path, i, typeof merge === 'string' ? merge.split(' ') : merge, vocabulary),
  );
  return {vocabulary, merges};
}

function parseVocabulary(path: string, json: Json): Map<string, number> {
  const vocabulary = new Map<string, number>();
  for (const [piece, id] of Object.entries(json)) {
    if (!Number.isInteger(id) || (id as number) < 0 || (id as number) > MAX_TOKEN_ID) {
      throw damaged(path, `a token id from 0 to ${MAX_TOKEN_ID} for '${piece}'`, JSON.stringify(id));
    }
    vocabulary.set(piece, id as number);
  }
  return vocabulary;
}

function parseMerge(
  path: string,
  index: number,
  pair: unknown,
  vocabulary: Map<string, number>,
): [string, string] {
  const [left, right, ...rest] = Array.isArray(pair) ? (pair as unknown[]) : [];
  if (typeof left !== 'string' || typeof right !== 'string' || rest.length > 0) {
    throw damaged(path, `two pieces in merge ${index}`, JSON.stringify(pair));
  }
  const unknown = [left, right, left + right].find(piece => !vocabulary.has(piece));
  if (unknown !== undefined) {
    throw damaged(path, `pieces of the vocabulary in merge ${index}`, `'${unknown}'`);
  }
  return [left, right];
}

function modelMaxLength(folder: string, config: Json): number {
  const length = config['model_max_length'] ?? CLIP_MAX_LENGTH;
  if (typeof length !== 'number' || length > MAX_PLAUSIBLE_LENGTH) return CLIP_MAX_LENGTH;
  if (Number.isInteger(length) && length >= 3) return length;
  throw damaged(join(folder, 'tokenizer_config.json'), 'model_max_length of at least 3', String(length));
}

/** A special token is saved as its text or as an object that holds it. */
function tokenText(value: unknown): string | undefined {
  const text = isObject(value) ? value['content'] : value;
  return typeof text === 'string' && text !== '' ? text : undefined;
}

async function readJson(path: string): Promise<Json | undefined> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  try {
    const json: unknown = JSON.parse(text);
    if (isObject(json)) return json;
  } catch (cause) {
    throw damaged(path, 'JSON', (cause as Error).message, {cause});
  }
  throw damaged(path, 'a JSON object', 'another JSON value');
}

/** The text of a file, or undefined where there is no such file. */
async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw new FileError(`${path}: cannot be read: ${(cause as Error).message}. Check its permissions.`, {
      cause,
    });
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function damaged(path: string, expected: string, got: string, options?: ErrorOptions): FileError {
  return new FileError(`${path}: expected ${expected}; got ${got}. Download the tokenizer again.`, options);
}
