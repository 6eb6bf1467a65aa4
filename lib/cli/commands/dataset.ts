import {Command, Option} from '@commander-js/extra-typings';
import {type Split, splits} from '../../datasets/world/splits.ts';
import {writeWorldDataset} from '../../datasets/world/write-world.ts';
import {interruptible} from '../interrupt.ts';
import {parseNumber} from '../options/parse-values.ts';

interface WorldFlags {
  readonly output: string;
  readonly count: number;
  readonly size: number;
  readonly seed: number;
  readonly split: Split;
  readonly shardSize?: number | undefined;
  readonly json?: true | undefined;
}

export function datasetCommand() {
  return new Command('dataset').description('make training sets').addCommand(worldCommand());
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

async function drawWorld({output, json, ...options}: WorldFlags, signal: AbortSignal): Promise<void> {
  const card = await writeWorldDataset(output, {...options, signal, onProgress: showDone()});
  if (json) process.stdout.write(`${JSON.stringify({folder: output, ...card})}\n`);
  else process.stdout.write(`${output}: ${card.count} samples, sha256 ${card.sha256}\n`);
}

/** A line on standard error every few seconds. */
function showDone() {
  let next = performance.now() + 5000;
  return ({done, count}: {readonly done: number; readonly count: number}) => {
    if (performance.now() < next) return;
    next = performance.now() + 5000;
    process.stderr.write(`${done}/${count} samples\n`);
  };
}
