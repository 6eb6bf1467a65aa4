import {mkdir} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {Command} from '@commander-js/extra-typings';
import {exampleInstructions} from '../../datasets/instructions/example-instructions.ts';
import {paperTasks} from '../../datasets/instructions/tasks.ts';
import {decodeImage} from '../../images/decode-image.ts';
import {fitInto} from '../../images/fit-into.ts';
import {labelledGrid} from '../../images/labelled-grid.ts';
import {writeImage} from '../../images/write-image.ts';
import {formatSeconds} from '../../inspect/format.ts';
import {IPAdapterInstructPipeline} from '../../pipelines/ip-adapter-instruct-pipeline.ts';
import {ownPackage} from '../../runtime/own-package.ts';
import {interruptible} from '../interrupt.ts';
import {collect} from '../options/parse-values.ts';
import {checkOutputPath} from '../output-files.ts';

const instructions = paperTasks.map(task => exampleInstructions[task]);

const side = 256;
const steps = 8;

interface Flags {
  readonly image?: string | undefined;
  readonly prompt: string;
  readonly instruction?: readonly string[] | undefined;
  readonly output: string;
}

export function demoCommand() {
  return new Command('demo')
    .description('run everything once on a small model with random weights')
    .option('--image <file>', 'condition image (default: a photograph of an astronaut)')
    .option('--prompt <text>', 'what to paint', 'a cup of coffee on a wooden table')
    .option('--instruction <text>', 'what to take from the image; repeatable (default: five)', collect)
    .option('--output <file>', 'picture to write', join('out', 'demo.png'))
    .action(flags => interruptible(signal => run(flags, signal)));
}

async function run(flags: Flags, signal: AbortSignal): Promise<void> {
  const {prompt, output, instruction = instructions} = flags;
  const image = flags.image ?? join(ownPackage()!.folder, 'assets', 'astronaut.png');
  await mkdir(dirname(output), {recursive: true});
  await checkOutputPath(output, 'png');
  const say = (line: string) => process.stdout.write(`${line}\n`);
  say('No trained model ships with this package yet: this one has random weights, made on the spot.');
  say('Its pictures are noise. They show that every part runs, from the instruction to the picture.');

  const condition = await decodeImage(image, {name: 'image'});
  const pipeline = await IPAdapterInstructPipeline.random({size: 'tiny'});
  try {
    const {images, timings} = await pipeline.generate({
      prompt,
      instruction,
      ipAdapterImage: image,
      height: side,
      width: side,
      numInferenceSteps: steps,
      seed: instruction.map(() => 0),
      signal,
    });
    const pictures = [await fitInto(condition, side), ...images.map(({image}) => image!)];
    const grid = await labelledGrid(pictures, ['condition image', ...instruction], 3);
    await writeImage(output, grid, {parameters: {prompt, instruction, model: 'random weights'}});
    say(`${images.length} pictures of ${steps} steps in ${formatSeconds(timings.totalSeconds)}: ${output}`);
  } finally {
    await pipeline.dispose();
  }
}
