import {Argument, Command, Option} from '@commander-js/extra-typings';
import {type BuildDatasetOptions, buildDataset} from '../../builders/build-dataset.ts';
import {type Captioner, languageModelCaptioner} from '../../builders/captions.ts';
import {faceLocator} from '../../builders/face-locator.ts';
import type {Painter} from '../../builders/painter.ts';
import {instantStylePainter, scribblePainter} from '../../builders/painters.ts';
import {objectCrops} from '../../builders/tasks/object.ts';
import {paperTasks} from '../../datasets/instructions/tasks.ts';
import {FaceAnalyzer} from '../../faces/face-analyzer.ts';
import type {IPAdapterInstructPipeline} from '../../pipelines/ip-adapter-instruct-pipeline.ts';
import {languageModelName} from '../../runtime/env.ts';
import {countProgress} from '../count-progress.ts';
import {interruptible} from '../interrupt.ts';
import {
  addLanguageModelOptions,
  namesLanguageModel,
  openLanguageModel,
} from '../options/language-model-options.ts';
import {addModelOptions, openPipeline} from '../options/model-options.ts';
import {defined, parseNumber} from '../options/parse-values.ts';
import {warn} from '../warn.ts';

export function buildCommand() {
  return buildOptions().action((task, flags) => interruptible(signal => build(task, flags, signal)));
}

function buildOptions() {
  const command = new Command('build')
    .description(
      'make the training set of a task from the pictures of a data set, or your own; goes on after an end',
    )
    .addArgument(new Argument('<task>', 'what the set teaches').choices(paperTasks))
    .requiredOption(
      '--source <folder>',
      'JourneyDB, Parquet tables, COCO, CelebA, or a plain folder of pictures',
    )
    .requiredOption('-o, --output <folder>', 'folder to write, new or of a build to go on with')
    .requiredOption('--count <n>', 'samples', parseNumber)
    .option('--size <pixels>', 'of the shorter side of pictures, at most (default: 512)', parseNumber)
    .option('--seed <n>', 'of all that is chosen at random (default: 0)', parseNumber)
    .addOption(
      new Option('--crop <part>', 'object, of COCO: what is kept of an object (default: box)').choices(
        objectCrops,
      ),
    )
    .option('--prompts <path>', "style: a file with a prompt on each line, or WikiArt's folder")
    .option('--num-inference-steps <n>', 'style and composition: of each target (default: 50)', parseNumber)
    .option('--batch-size <n>', 'style: targets that are painted at a time (default: 4)', parseNumber)
    .option(
      '--face-models <folder>',
      "face, without CelebA's landmarks: face-api's weights (@vladmandic/face-api/model), to zoom on faces",
    )
    .option('--json', 'print one JSON object at the end');
  return addModelOptions(addLanguageModelOptions(command));
}

type Flags = ReturnType<ReturnType<typeof buildOptions>['opts']>;

async function build(task: BuildDatasetOptions['task'], flags: Flags, signal: AbortSignal): Promise<void> {
  const {source, output, count, size, seed, crop, prompts, json, faceModels, languageConcurrency} = flags;
  const captioner = captionerOf(flags);
  const analyzer = faceModels === undefined ? undefined : await FaceAnalyzer.load(faceModels);
  const pipeline = task === 'style' || task === 'composition' ? await openPipeline(flags) : undefined;
  try {
    const card = await buildDataset(output, {
      task,
      source,
      count,
      ...defined({size, seed, crop, prompts, captioner}),
      ...(captioner !== undefined && {concurrency: languageConcurrency}),
      ...(analyzer !== undefined && {locator: faceLocator(analyzer)}),
      ...(pipeline !== undefined && {painter: painterOf(task, pipeline, flags)}),
      signal,
      onProgress: countProgress('samples'),
    });
    if (card.count < count) warn(`${source}: it has ${card.count} samples and no more`);
    if (json) process.stdout.write(`${JSON.stringify({folder: output, ...card})}\n`);
    else process.stdout.write(`${output}: ${card.count} samples, sha256 ${card.sha256}\n`);
  } finally {
    await pipeline?.dispose();
    await analyzer?.dispose();
  }
}

function captionerOf(flags: Flags): Captioner | undefined {
  if (!namesLanguageModel(flags)) return undefined;
  // Without a name the model cannot be opened.
  const name = flags.languageModel ?? languageModelName() ?? '';
  return languageModelCaptioner(openLanguageModel(flags), name);
}

function painterOf(
  task: BuildDatasetOptions['task'],
  pipeline: IPAdapterInstructPipeline,
  {size = 512, batchSize = 4, numInferenceSteps}: Flags,
): Painter {
  const options = {pipeline, size, generation: defined({numInferenceSteps})};
  return task === 'style' ? instantStylePainter({...options, batchSize}) : scribblePainter(options);
}
