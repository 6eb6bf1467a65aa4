/**
 * PyTorch's side: a Python process that lives as long as the bench and answers a line with a line.
 */
import {type ChildProcessWithoutNullStreams, spawn} from 'node:child_process';
import {once} from 'node:events';
import path from 'node:path';
import {createInterface, type Interface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import type {BenchCase} from './bench-case.ts';

const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'pytorch', 'worker.py');

/** Op by op; the same as one CUDA graph; by `torch.compile`. */
export type PyTorchWay = 'eager' | 'captured' | 'compiled';

export class PyTorchWorker {
  /** PyTorch's version. */
  readonly torch: string;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #replies: AsyncIterator<string>;

  private constructor(
    process: ChildProcessWithoutNullStreams,
    replies: AsyncIterator<string>,
    torch: string,
  ) {
    this.#process = process;
    this.#replies = replies;
    this.torch = torch;
  }

  /**
   * Starts the interpreter that `PYTHON` names, default `python3`.
   *
   * @param device as PyTorch names it: `cpu`, or e.g. `cuda:0`
   * @returns the worker, or why there is none
   */
  static async start(threads: number, device = 'cpu'): Promise<PyTorchWorker | string> {
    const python = process.env['PYTHON'] || 'python3';
    const env = {...process.env, PYTHONDONTWRITEBYTECODE: '1'};
    const child = spawn(python, [script], {env});
    let complaints = '';
    child.stderr.setEncoding('utf8').on('data', text => {
      complaints += text;
    });
    const failure = once(child, 'error').then(([error]) => String(error.message));
    const replies = lines(createInterface({input: child.stdout}));
    child.stdin.on('error', () => undefined);
    child.stdin.write(`${JSON.stringify({command: 'describe', threads, device})}\n`);
    const first = await Promise.race([replies.next(), failure]);
    if (typeof first === 'string') return `${python}: ${first}`;
    if (first.done) return `${python}: ${complaints.trim().split('\n').at(-1) ?? 'ended at once'}`;
    return new PyTorchWorker(child, replies, JSON.parse(first.value).torch);
  }

  /** @param compileMode of `torch.compile`, where that is one of the ways */
  async load(
    {pytorch}: BenchCase,
    dtype: string,
    ways: readonly PyTorchWay[] = ['eager'],
    compileMode = 'default',
  ): Promise<void> {
    await this.#ask({command: 'load', ...pytorch, dtype, ways, mode: compileMode});
  }

  /** Seconds of one of so many runs in a row, on average. */
  async run(iterations: number, way: PyTorchWay = 'eager'): Promise<number> {
    return (await this.#ask({command: 'run', iterations, way}))['seconds']!;
  }

  async unload(): Promise<void> {
    await this.#ask({command: 'unload'});
  }

  /** The most memory that it has had: of the GPU where it has one, else resident. */
  async peakBytes(): Promise<number> {
    return (await this.#ask({command: 'peak'}))['bytes']!;
  }

  async close(): Promise<void> {
    this.#process.stdin.end();
    if (this.#process.exitCode === null) await once(this.#process, 'exit');
  }

  async #ask(request: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, number>>> {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    const {done, value} = await this.#replies.next();
    if (done) throw new Error(`PyTorch's process ended while it was asked to ${request['command']}.`);
    const reply = JSON.parse(value);
    if (reply.error !== undefined) throw new Error(`PyTorch failed to ${request['command']}: ${reply.error}`);
    return reply;
  }
}

function lines(reader: Interface): AsyncIterator<string> {
  return reader[Symbol.asyncIterator]();
}
