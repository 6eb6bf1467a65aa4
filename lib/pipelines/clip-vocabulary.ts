import {assetFolder} from './asset-folder.ts';

/** The folder of CLIP's public vocabulary, which ships with the package. */
export function clipTokenizerFolder(): string {
  return assetFolder('tokenizer');
}
