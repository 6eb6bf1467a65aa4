import {mkdir} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {Command} from '@commander-js/extra-typings';
import {exampleInstructions} from '../../datasets/instructions/example-instructions.ts';
import {paperTasks} from '../../datasets/instructions/tasks.ts';
import {renderPicture} from '../../datasets/world/render.ts';
import {decodeImage} from '../../images/decode-image.ts';
import type {RgbImage} from '../../images/image.ts';
import {labelledGrid} from '../../images/labelled-grid.ts';
import {resizeLikePil} from '../../images/pil-resize.ts';
import {writeImage} from '../../images/write-image.ts';
import {formatSeconds} from '../../inspect/format.ts';
import {bundledModel} from '../../pipelines/bundled-model.ts';
import {IPAdapterInstructPipeline} from '../../pipelines/ip-adapter-instruct-pipeline.ts';
import {type DemoPicture, demoRows} from '../demo-pictures.ts';
import {interruptible} from '../interrupt.ts';
import {collect, parseNumber} from '../options/parse-values.ts';
import {checkOutputPath} from '../output-files.ts';

/** Of the pictures that are made, and as they are shown. */
const side = 64;
const shownSide = 256;
const steps = 30;
/** What looks best of this model, which is small and has one use of its adapter: all of it, and little guidance. */
const settings = {ipAdapterScale: 1, autoScale: false, guidanceScale: 3.5, numInferenceSteps: steps};

interface Flags {
  readonly image?: string | undefined;
  readonly prompt?: string | undefined;
  readonly instruction?: readonly string[] | undefined;
  readonly seed: number;
  readonly output: string;
}

interface Row {
  readonly condition: RgbImage;
  readonly pictures: readonly DemoPicture[];
}

export function demoCommand() {
  return new Command('demo')
    .description('show what the small model that comes along takes from a picture under each instruction')
    .option('--image <file>', 'condition image (default: two that are drawn)')
    .option('--prompt <text>', 'what to paint, under all instructions')
    .option('--instruction <text>', 'what to take from the image; repeatable (default: five)', collect)
    .option('--seed <n>', 'of the noise', parseNumber, 3)
    .option('--output <file>', 'picture to write', join('out', 'demo.png'))
    .action(flags => interruptible(signal => run(flags, signal)));
}

async function run(flags: Flags, signal: AbortSignal): Promise<void> {
  const {seed, output} = flags;
  await mkdir(dirname(output), {recursive: true});
  await checkOutputPath(output, 'png');
  const rows = await rowsOf(flags);
  const pipeline = await IPAdapterInstructPipeline.load(bundledModel());
  try {
    const [pictures, labels]: [RgbImage[], string[]] = [[], []];
    let seconds = 0;
    for (const row of rows) {
      const {images, timings} = await pipeline.generate({
        prompt: row.pictures.map(({prompt}) => prompt),
        instruction: row.pictures.map(({instruction}) => instruction),
        ipAdapterImage: {...row.condition, channels: 3},
        height: side,
        width: side,
        ...settings,
        seed: row.pictures.map(() => seed),
        signal,
      });
      seconds += timings.totalSeconds;
      pictures.push(row.condition, ...images.map(({image}) => image!));
      labels.push(
        'condition image\n',
        ...row.pictures.map(({instruction, prompt}) => `${instruction}\n${prompt}`),
      );
    }
    const size = {width: shownSide, height: shownSide};
    const shown = await Promise.all(pictures.map(picture => resizeLikePil(picture, size, 'bicubic')));
    const grid = await labelledGrid(shown, labels, labels.length / rows.length);
    await writeImage(output, grid, {parameters: {seed, rows: rows.map(row => row.pictures)}});
    const made = labels.length - rows.length;
    process.stdout.write(
      'The small model that comes with this package knows a drawn world, in pictures of 64 pixels (assets/world/README.md).\n' +
        `${made} pictures of ${steps} steps in ${formatSeconds(seconds)}: ${output}\n`,
    );
  } finally {
    await pipeline.dispose();
  }
}

async function rowsOf({image, prompt, instruction}: Flags): Promise<Row[]> {
  const asked = instruction ?? paperTasks.map(task => exampleInstructions[task]);
  if (image !== undefined) {
    const condition = await decodeImage(image, {name: 'image'});
    return [{condition, pictures: asked.map(text => ({instruction: text, prompt: prompt ?? ''}))}];
  }
  return Promise.all(
    demoRows.map(async ({condition, pictures}) => ({
      condition: await renderPicture(condition, side),
      pictures:
        instruction === undefined
          ? pictures.map(picture => ({...picture, prompt: prompt ?? picture.prompt}))
          : asked.map(text => ({instruction: text, prompt: prompt ?? ''})),
    })),
  );
}
