import {type ChildProcess, spawn} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {oneAtATime} from './one-at-a-time.ts';

const program = fileURLToPath(new URL('../../lib/cli/main.ts', import.meta.url));
/** What runs TypeScript, and in worker threads too. */
const loaders = ['tsx', './tsx-in-threads.mjs'].flatMap(name => ['--import', import.meta.resolve(name)]);

export interface CliResult {
  /** undefined where a signal ended the process. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  /** A command that starts the program: mpirun with its options, say. */
  readonly launcher?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Called when the process is there. */
  readonly onStart?: (child: ChildProcess) => void;
  /** What the system lets the process write to one file, in whole blocks of 512. Further writes fail. */
  readonly maxFileBytes?: number;
  /** Called with what standard error holds so far, each time that it grows. */
  readonly onStderr?: (text: string, child: ChildProcess) => void;
}

/** Runs `ipai` as a process of its own, from the sources. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return oneAtATime(() => runCliBeside(args, options));
}

/** Likewise, beside other processes: for those that work together. */
export function runCliBeside(
  args: readonly string[],
  {launcher = [], env, cwd, maxFileBytes, onStart, onStderr}: CliOptions = {},
): Promise<CliResult> {
  const command = [...launcher, process.execPath, ...loaders, program, ...args];
  if (maxFileBytes !== undefined) {
    command.unshift('sh', '-c', `ulimit -f ${Math.floor(maxFileBytes / 512)} && exec "$@"`, 'sh');
  }
  const child = spawn(command[0]!, command.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {...process.env, ...env},
    cwd,
  });
  onStart?.(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    onStderr?.(stderr, child);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', code => resolve({exitCode: code ?? undefined, stdout, stderr}));
  });
}
