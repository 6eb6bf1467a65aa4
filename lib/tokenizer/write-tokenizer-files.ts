import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {TokenizerFiles} from './tokenizer-files.ts';

/**
 * Writes a tokenizer folder as `CLIPTokenizer.load` and transformers' CLIPTokenizer read it: `vocab.json`, `merges.txt`,
 * `tokenizer_config.json`, `special_tokens_map.json`.
 */
export async function writeTokenizerFiles(
  folder: string,
  {vocabulary, merges, specialTokens, modelMaxLength}: TokenizerFiles,
): Promise<void> {
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
  await writeFile(join(folder, 'vocab.json'), JSON.stringify(Object.fromEntries(vocabulary)));
  await writeFile(join(folder, 'merges.txt'), lines.map(line => `${line}\n`).join(''));
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
  await writeFile(join(folder, 'special_tokens_map.json'), JSON.stringify(special));
}
