import {Command} from '@commander-js/extra-typings';
import {isDone} from '../../jobs/job-log.ts';
import {runWorker} from '../../jobs/redis/run-worker.ts';
import {interruptible} from '../interrupt.ts';
import {
  addModelOptions,
  hostSettings,
  type ModelFlags,
  modelNames,
  openPipeline,
} from '../options/model-options.ts';
import {parseNumber} from '../options/parse-values.ts';
import {warn} from '../warn.ts';

export function workerCommand() {
  const command = new Command('worker')
    .description(
      'make the pictures of jobs that `ipai batch --queue` sends over Redis, until it is ended. Any number of workers, on any ' +
        'machines, may share a queue',
    )
    .requiredOption('--queue <url>', 'of Redis: redis://HOST:PORT, or rediss: for TLS')
    .requiredOption(
      '-o, --output <folder>',
      "for pictures: a folder, or s3://BUCKET/PREFIX, with credentials and address in AWS's environment variables",
    )
    .option('--batch-size <n>', 'pictures made at a time', parseNumber, 4);
  return addModelOptions(command).action(flags => interruptible(signal => run(flags, signal)));
}

interface WorkerFlags extends ModelFlags {
  readonly queue: string;
  readonly output: string;
  readonly batchSize: number;
}

async function run(flags: WorkerFlags, signal: AbortSignal): Promise<void> {
  const {queue, output, batchSize} = flags;
  const pipeline = await openPipeline(flags, hostSettings);
  try {
    await runWorker(pipeline, {
      ...{queue, output, batchSize, signal},
      origin: modelNames(flags),
      onWarning: warn,
      onLine: line => {
        process.stdout.write(isDone(line) ? `${line.file}\n` : `failed: ${line.id}: ${line.error.message}\n`);
      },
    });
  } finally {
    await pipeline.dispose();
  }
}
