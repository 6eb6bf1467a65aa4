/**
 * What a server is made of, and what it allows.
 */
import type {FastifyInstance} from 'fastify';
import {checkInteger, checkRange} from '../pipelines/generate-options.ts';
import type {IPAdapterInstructPipeline} from '../pipelines/ip-adapter-instruct-pipeline.ts';

/** What the server needs of a pipeline. */
export type ServedPipeline = Pick<IPAdapterInstructPipeline, 'generate' | 'models'>;

/** What a server is made of, and what it allows. */
export interface ServerOptions {
  /** Makes the pictures; a promise while it loads. Whoever gives it disposes of it, after `drain`. */
  readonly pipeline: ServedPipeline | Promise<ServedPipeline>;
  /** Pictures that are made at once, at the most. Default: 4. */
  readonly batchSize?: number;
  /** For how long a job waits for others like it, in milliseconds. Default: 20. */
  readonly maxDelay?: number;
  /** Jobs that wait, at the most: more are answered with 429. Default: 64. */
  readonly maxWaiting?: number;
  /** Bytes of a request's body. Default: 16 MiB. */
  readonly maxUpload?: number;
  /** Pixels of an uploaded picture. Default: 2^25, 34 million. */
  readonly maxPixels?: number;
  /** Longest side of a result, in pixels. Default: 1024. */
  readonly maxSide?: number;
  /** Steps of a result. Default: 100. */
  readonly maxSteps?: number;
  /** For how long a request may take to arrive, in milliseconds. Default: one minute. */
  readonly requestTimeout?: number;
  /** Keys of which a client must know one. Default: none is asked for. */
  readonly apiKeys?: readonly string[];
  /** Where lines of JSON about requests go. Default: nowhere. */
  readonly log?: {
    /** Takes a line, with its end. */
    write(line: string): void;
  };
}

/** A server that was made, and is not listening yet. */
export interface ImageServer {
  /** Listens by `app.listen`, answers tests by `app.inject`, and is part of another server by `app.routing`. */
  readonly app: FastifyInstance;
  /**
   * Ends: takes no more jobs, finishes those there are, and closes all connections.
   *
   * @param timeout milliseconds after which jobs are taken back. Default: half a minute
   */
  drain(timeout?: number): Promise<void>;
}

/** The options with nothing left open. */
export type ServerSettings = Required<Omit<ServerOptions, 'pipeline' | 'log'>>;

/** @throws ArgumentError for limits that make no sense */
export function resolveSettings(options: ServerOptions): ServerSettings {
  return {
    batchSize: checkInteger('batchSize', options.batchSize ?? 4, 1),
    maxDelay: checkRange('maxDelay', options.maxDelay ?? 20, 0),
    maxWaiting: checkInteger('maxWaiting', options.maxWaiting ?? 64, 1),
    maxUpload: checkInteger('maxUpload', options.maxUpload ?? 16 * 2 ** 20, 1),
    maxPixels: checkInteger('maxPixels', options.maxPixels ?? 2 ** 25, 1),
    maxSide: checkInteger('maxSide', options.maxSide ?? 1024, 8),
    maxSteps: checkInteger('maxSteps', options.maxSteps ?? 100, 1),
    requestTimeout: checkInteger('requestTimeout', options.requestTimeout ?? 60_000, 1),
    apiKeys: options.apiKeys ?? [],
  };
}
