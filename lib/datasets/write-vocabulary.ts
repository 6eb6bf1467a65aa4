import {learnVocabulary, type VocabularyOptions} from '../tokenizer/learn-vocabulary.ts';
import {writeTokenizerFiles} from '../tokenizer/write-tokenizer-files.ts';
import type {Dataset} from './dataset.ts';
import {writeNewFolder} from './write-new-folder.ts';

/**
 * Learns a vocabulary of all texts of a training set (prompts, names of objects, instructions), and writes it as a
 * tokenizer folder, which is there whole, or not at all.
 *
 * @returns tokens of the vocabulary, which may be fewer than `size`
 * @throws ArgumentError for options that make no sense
 * @throws FileError where the folder is not empty, or cannot be written
 */
export function writeDatasetVocabulary(
  folder: string,
  dataset: Dataset,
  options: VocabularyOptions,
): Promise<{readonly tokens: number}> {
  const write = async (partial: string) => {
    const files = await learnVocabulary(datasetTexts(dataset), options);
    await writeTokenizerFiles(partial, files);
    return {tokens: files.vocabulary.size};
  };
  return writeNewFolder(folder, 'a vocabulary', write, options.signal);
}

function* datasetTexts({samples, instructions}: Dataset): Generator<string> {
  for (const {prompt, conditionPrompt, objectName} of samples) {
    yield prompt;
    if (conditionPrompt !== undefined) yield conditionPrompt;
    if (objectName !== undefined) yield objectName;
  }
  for (const pool of instructions.values()) yield* pool;
}
