import {once} from 'node:events';
import {Command} from '@commander-js/extra-typings';
import {ArgumentError} from '../../errors.ts';
import {serverKey} from '../../runtime/env.ts';
import {createServer} from '../../server/create-server.ts';
import {interruptible} from '../interrupt.ts';
import {addModelOptions, hostSettings, type ModelFlags, openPipeline} from '../options/model-options.ts';
import {collect, defined, parseNumber} from '../options/parse-values.ts';
import {warn} from '../warn.ts';

const loopback = ['127.0.0.1', '::1', 'localhost'];

interface ServeFlags {
  readonly host: string;
  readonly port: number;
  readonly batchSize?: number | undefined;
  readonly maxDelay?: number | undefined;
  readonly maxWaiting?: number | undefined;
  readonly maxUpload?: number | undefined;
  readonly maxPixels?: number | undefined;
  readonly maxSide?: number | undefined;
  readonly maxSteps?: number | undefined;
  readonly drainTimeout: number;
  readonly apiKey?: readonly string[] | undefined;
}

export function serveCommand() {
  const command = new Command('serve')
    .description('answer requests for pictures over HTTP, with a page on which to try it')
    .option('--host <address>', 'address to listen at', '127.0.0.1')
    .option('--port <n>', '0: any that is free', parseNumber, 8080)
    .option('--batch-size <n>', 'pictures made at once, at most (default: 4)', parseNumber)
    .option('--max-delay <ms>', 'for how long a job waits for others like it (default: 20)', parseNumber)
    .option(
      '--max-waiting <n>',
      'jobs that wait, at most; more are told to try later (default: 64)',
      parseNumber,
    )
    .option('--max-upload <bytes>', "of a request's body (default: 16 MiB)", parseNumber)
    .option('--max-pixels <n>', 'of an uploaded picture (default: 34 million)', parseNumber)
    .option('--max-side <pixels>', 'of a result (default: 1024)', parseNumber)
    .option('--max-steps <n>', 'of a result (default: 100)', parseNumber)
    .option(
      '--drain-timeout <s>',
      'for how long jobs are finished when the process is to end',
      parseNumber,
      30,
    )
    .option('--api-key <key>', 'a key that clients may show, besides $IPAI_API_KEY; repeatable', collect);
  return addModelOptions(command).action(flags => interruptible(signal => run(flags, signal)));
}

async function run(flags: ServeFlags & ModelFlags, signal: AbortSignal): Promise<void> {
  const {host, port, drainTimeout, apiKey = []} = flags;
  const {batchSize, maxDelay, maxWaiting, maxUpload, maxPixels, maxSide, maxSteps} = flags;
  const apiKeys = [...apiKey, serverKey()].filter(key => key !== undefined);
  if (apiKeys.length === 0 && !loopback.includes(host)) {
    warn(`anyone who reaches ${host} can use this server: give --api-key or $IPAI_API_KEY.`);
  }
  const pipeline = openPipeline(flags, hostSettings);
  try {
    const server = await createServer({
      pipeline,
      apiKeys,
      log: process.stdout,
      ...defined({batchSize, maxDelay, maxWaiting, maxUpload, maxPixels, maxSide, maxSteps}),
    });
    try {
      await listen(server.app, host, port);
      // Whatever comes first: a model that cannot be loaded is an error, an end is none.
      await Promise.race([Promise.all([pipeline, ended(signal)]), ended(signal)]);
    } finally {
      await server.drain(drainTimeout * 1000);
    }
  } finally {
    await pipeline.then(
      loaded => loaded.dispose(),
      () => undefined,
    );
  }
}

async function ended(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

async function listen(
  app: {listen(options: {host: string; port: number}): Promise<string>},
  host: string,
  port: number,
): Promise<void> {
  try {
    await app.listen({host, port});
  } catch (cause) {
    throw new ArgumentError(
      `host, port: expected an address to listen at, but ${(cause as Error).message}. Choose another --port.`,
      {cause},
    );
  }
}
