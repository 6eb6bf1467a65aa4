import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {FileError} from '../errors.ts';

/** The folder of CLIP's public vocabulary, which ships with the package. */
export function clipTokenizerFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'assets', 'tokenizer', 'vocab.json'))) {
    const parent = dirname(folder);
    if (parent === folder) {
      throw new FileError(
        'tokenizer: expected assets/tokenizer in the package, but it is not there. Reinstall it.',
      );
    }
    folder = parent;
  }
  return join(folder, 'assets', 'tokenizer');
}
