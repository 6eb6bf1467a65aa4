import {Command, Option} from '@commander-js/extra-typings';
import {type FailedLine, isDone, type JobLine} from '../../jobs/job-log.ts';
import type {JobsProgress} from '../../jobs/job-run.ts';
import {readJobs} from '../../jobs/read-jobs.ts';
import {sendJobs} from '../../jobs/redis/send-jobs.ts';
import {runJobs} from '../../jobs/run-jobs.ts';
import {interruptible} from '../interrupt.ts';
import {addDenoisingOptions, denoisingOptions} from '../options/denoising-options.ts';
import {
  addModelOptions,
  hostSettings,
  type ModelFlags,
  modelNames,
  namesModel,
  openPipeline,
} from '../options/model-options.ts';
import {parseNumber} from '../options/parse-values.ts';
import {showPictures} from '../picture-progress.ts';
import {warn} from '../warn.ts';

export function batchCommand() {
  const command = new Command('batch')
    .description(
      'make the pictures of a file of jobs: on each line a JSON object with the options of one picture, under the names of ' +
        'the API. What is done already is passed over',
    )
    .argument('<jobs>', 'file of jobs, one a line; paths in it are relative to it')
    .requiredOption('-o, --output <folder>', 'pictures, each under the id of its job, and results.jsonl')
    .option('--batch-size <n>', 'pictures made at a time', parseNumber, 4)
    .option(
      '--queue <url>',
      'of Redis, redis://HOST:PORT: the pictures are made, and kept, by `ipai worker`. Options of models say which workers, ' +
        'where there are some of several models',
    )
    .addOption(
      new Option('--format <format>', 'of pictures')
        .choices(['png', 'jpg', 'webp'] as const)
        .default('png' as const),
    );
  return addModelOptions(addDenoisingOptions(command))
    .option('--json', 'print one JSON object at the end')
    .action((jobs, flags) => interruptible(signal => run(jobs, flags, signal)));
}

type Flags = ModelFlags &
  Parameters<typeof denoisingOptions>[0] & {
    readonly output: string;
    readonly batchSize: number;
    readonly queue?: string | undefined;
    readonly format: 'png' | 'jpg' | 'webp';
    readonly json?: true | undefined;
  };

async function run(path: string, flags: Flags, signal: AbortSignal): Promise<void> {
  const {output: folder, batchSize, format, queue} = flags;
  const jobs = await readJobs(path, denoisingOptions(flags));
  const pipeline = queue === undefined ? await openPipeline(flags, hostSettings) : undefined;
  const begin = performance.now();
  const progress = showPictures();
  let count: JobsProgress = {done: 0, failed: 0, total: jobs.length};
  let before: number | undefined;
  const common = {
    ...{folder, format, signal},
    onWarning: warn,
    onProgress: (now: JobsProgress) => {
      count = now;
      before ??= now.done;
      progress.onProgress({done: now.done + now.failed, total: now.total});
    },
  };
  try {
    const origin = modelNames(flags);
    const lines = await (pipeline === undefined
      ? sendJobs(jobs, {...common, queue: queue!, ...(namesModel(flags) && {origin})})
      : runJobs(pipeline, jobs, {...common, batchSize, origin}));
    progress.stop();
    report(flags, lines, count.done - (before ?? 0), (performance.now() - begin) / 1000);
  } catch (error) {
    progress.stop();
    if (signal.aborted)
      process.stderr.write(
        `kept: ${count.done} of ${count.total} pictures in ${folder}; the same command goes on\n`,
      );
    throw error;
  } finally {
    await pipeline?.dispose();
  }
}

function report({output, json}: Flags, lines: readonly JobLine[], made: number, seconds: number): void {
  const failures = lines.filter((line): line is FailedLine => !isDone(line));
  const done = lines.length - failures.length;
  if (failures.length > 0) process.exitCode = 1;
  if (json) {
    const rate = made / seconds;
    const summary = {folder: output, done, made, seconds, picturesPerSecond: rate, failures};
    process.stdout.write(`${JSON.stringify(summary)}\n`);
    return;
  }
  process.stdout.write(`${output}: ${done} of ${lines.length} pictures\n`);
  for (const {id, error} of failures) process.stderr.write(`failed: ${id}: ${error.message}\n`);
}
