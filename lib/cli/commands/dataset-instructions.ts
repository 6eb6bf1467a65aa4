import {Argument, Command, Option} from '@commander-js/extra-typings';
import {instructionPool} from '../../datasets/instructions/instruction-pool.ts';
import {type InstructedTask, instructedTasks} from '../../datasets/instructions/tasks.ts';
import {writeInstructions} from '../../datasets/instructions/write-instructions.ts';
import {ArgumentError} from '../../errors.ts';
import {writeWholeFile} from '../../files/write-whole-file.ts';
import {countProgress} from '../count-progress.ts';
import {interruptible} from '../interrupt.ts';
import {
  addLanguageModelOptions,
  type LanguageModelFlags,
  namesLanguageModel,
  openLanguageModel,
} from '../options/language-model-options.ts';
import {parseNumber} from '../options/parse-values.ts';
import {checkWritable} from '../output-files.ts';

interface InstructionsFlags extends LanguageModelFlags {
  readonly output: string;
  readonly count: number;
  readonly grammar?: true | undefined;
  readonly json?: true | undefined;
}

export function instructionsCommand() {
  const command = new Command('instructions')
    .description(
      'write a pool of instructions for a task, one a line: from a language model where one is named, else from a ' +
        'grammar that comes with the package',
    )
    .addArgument(new Argument('<task>', 'what the instructions ask for').choices(instructedTasks))
    .requiredOption('-o, --output <file>', 'file to write, such as instructions/TASK.txt of a training set')
    .option('--count <n>', 'instructions', parseNumber, 1000)
    .addOption(
      new Option(
        '--grammar',
        'from the grammar, also where the environment names a language model',
      ).conflicts(['languageModel', 'languageUrl']),
    );
  return addLanguageModelOptions(command)
    .option('--json', 'print one JSON object at the end')
    .action((task, flags) => interruptible(signal => writePool(task, flags, signal)));
}

async function writePool(task: InstructedTask, flags: InstructionsFlags, signal: AbortSignal): Promise<void> {
  const {output, count, grammar, json} = flags;
  await checkWritable(output);
  const isAsked = !grammar && namesLanguageModel(flags);
  const instructions = isAsked
    ? await writeInstructions(openLanguageModel(flags), task, count, {
        signal,
        onProgress: countProgress('instructions'),
      })
    : fromGrammar(task, count);
  await writeWholeFile(output, [Buffer.from(instructions.map(line => `${line}\n`).join(''))]);
  if (json) process.stdout.write(`${JSON.stringify({file: output, task, count: instructions.length})}\n`);
  else process.stdout.write(`${output}: ${instructions.length} instructions\n`);
}

function fromGrammar(task: InstructedTask, count: number): readonly string[] {
  const pool = instructionPool(task, 'train');
  if (Number.isInteger(count) && count >= 1 && count <= pool.length) return pool.slice(0, count);
  throw new ArgumentError(
    `count: expected an integer from 1 to ${pool.length}, what the grammar has, but received ${count}. ` +
      'For more, name a language model with --language-model.',
  );
}
