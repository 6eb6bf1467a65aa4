import {Command, Option} from '@commander-js/extra-typings';
import {openDataset} from '../../datasets/dataset.ts';
import {type Split, splits} from '../../datasets/world/splits.ts';
import {writeWorldDataset} from '../../datasets/world/write-world.ts';
import {writeDatasetVocabulary} from '../../datasets/write-vocabulary.ts';
import {countProgress} from '../count-progress.ts';
import {interruptible} from '../interrupt.ts';
import {parseNumber} from '../options/parse-values.ts';
import {warn} from '../warn.ts';
import {buildCommand} from './dataset-build.ts';
import {captionCommand} from './dataset-caption.ts';
import {instructionsCommand} from './dataset-instructions.ts';

interface WorldFlags {
  readonly output: string;
  readonly count: number;
  readonly size: number;
  readonly seed: number;
  readonly split: Split;
  readonly shardSize?: number | undefined;
  readonly json?: true | undefined;
}

interface VocabularyFlags {
  readonly output: string;
  readonly size: number;
  readonly json?: true | undefined;
}

export function datasetCommand() {
  return new Command('dataset')
    .description('make training sets, their captions and instructions, and vocabularies of their texts')
    .addCommand(buildCommand())
    .addCommand(worldCommand())
    .addCommand(instructionsCommand())
    .addCommand(captionCommand())
    .addCommand(vocabularyCommand());
}

function worldCommand() {
  return new Command('world')
    .description('draw a training set of the five tasks: pictures, prompts, instructions, and their factors')
    .requiredOption('-o, --output <folder>', 'folder to write, empty or new')
    .requiredOption('--count <n>', 'samples of all tasks together', parseNumber)
    .option('--size <pixels>', 'side of the pictures', parseNumber, 64)
    .option('--seed <n>', 'of the set', parseNumber, 0)
    .addOption(
      new Option('--split <name>', 'test sets ask for combinations that the others never show')
        .choices(splits)
        .default('train' as const),
    )
    .option('--shard-size <n>', 'write tar shards of so many samples, in place of files', parseNumber)
    .option('--json', 'print one JSON object at the end')
    .action(flags => interruptible(signal => drawWorld(flags, signal)));
}

function vocabularyCommand() {
  return new Command('vocabulary')
    .description("learn a vocabulary in CLIP's form from all texts of a training set")
    .argument('<folder>', 'training set')
    .requiredOption('-o, --output <folder>', 'tokenizer folder to write, empty or new')
    .requiredOption('--size <n>', 'tokens at most, 514 or more', parseNumber)
    .option('--json', 'print one JSON object at the end')
    .action((folder, flags) => interruptible(signal => writeVocabulary(folder, flags, signal)));
}

async function drawWorld({output, json, ...options}: WorldFlags, signal: AbortSignal): Promise<void> {
  const card = await writeWorldDataset(output, {...options, signal, onProgress: countProgress('samples')});
  if (json) process.stdout.write(`${JSON.stringify({folder: output, ...card})}\n`);
  else process.stdout.write(`${output}: ${card.count} samples, sha256 ${card.sha256}\n`);
}

async function writeVocabulary(
  folder: string,
  {output, size, json}: VocabularyFlags,
  signal: AbortSignal,
): Promise<void> {
  const dataset = await openDataset(folder);
  for (const {place, reason} of dataset.problems) warn(`${place}: ${reason}`);
  const result = await writeDatasetVocabulary(output, dataset, {size, signal});
  if (json) process.stdout.write(`${JSON.stringify({folder: output, ...result})}\n`);
  else process.stdout.write(`${output}: ${result.tokens} tokens\n`);
}
