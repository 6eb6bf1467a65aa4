import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {TokenizerFiles} from './tokenizer-files.ts';

/** Writes a tokenizer folder. */
export async function writeTokenizerFiles(folder: string, files: TokenizerFiles): Promise<void> {
  for (const [name, text] of tokenizerTexts(files)) await writeFile(join(folder, name), text);
}

/**
 * Texts of the files that `CLIPTokenizer.load` and transformers' CLIPTokenizer read, by their names: `vocab.json`,
 * `merges.txt`, `tokenizer_config.json`, `special_tokens_map.json`.
 */
export function tokenizerTexts({
  vocabulary,
  merges,
  specialTokens,
  modelMaxLength,
}: TokenizerFiles): Map<string, string> {
  const special = {
    bos_token: specialTokens.bos,
    eos_token: specialTokens.eos,
    unk_token: specialTokens.unknown,
    pad_token: specialTokens.pad,
  };
  const config = {
    add_prefix_space: false,
    ...special,
    do_lower_case: true,
    model_max_length: modelMaxLength,
    tokenizer_class: 'CLIPTokenizer',
  };
  const lines = ['#version: 0.2', ...merges.map(pair => pair.join(' '))];
  return new Map([
    ['vocab.json', JSON.stringify(Object.fromEntries(vocabulary))],
    ['merges.txt', lines.map(line => `${line}\n`).join('')],
    ['tokenizer_config.json', JSON.stringify(config)],
    ['special_tokens_map.json', JSON.stringify(special)],
  ]);
}
