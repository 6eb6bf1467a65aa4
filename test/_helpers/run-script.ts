/**
 * Runs a piece of TypeScript in a process of its own, for what concerns a whole process.
 */
import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {oneAtATime} from './one-at-a-time.ts';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

export interface ScriptResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * @param source an ES module in TypeScript; it imports from the repository by paths like `#root/lib/errors.ts`
 * @param env added to this process's environment
 * @param launcher a command that starts it: mpirun with its options, say
 */
export function runScript(
  source: string,
  env: Record<string, string> = {},
  launcher: readonly string[] = [],
): Promise<ScriptResult> {
  return oneAtATime(() => run(source, env, launcher));
}

async function run(
  source: string,
  env: Record<string, string>,
  launcher: readonly string[],
): Promise<ScriptResult> {
  const folder = mkdtempSync(path.join(root, 'node_modules', '.ipai-script-'));
  const file = path.join(folder, 'script.mts');
  writeFileSync(file, source.replaceAll('#root/', `${root}/`));
  try {
    const [command, ...args] = [...launcher, process.execPath, '--import=tsx', file];
    const child = spawn(command!, args, {cwd: root, env: {...process.env, ...env}});
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', chunk => (stdout += chunk));
    child.stderr.on('data', chunk => (stderr += chunk));
    return await new Promise(resolve => {
      child.on('close', (code, signal) => resolve({code, signal, stdout, stderr}));
    });
  } finally {
    rmSync(folder, {recursive: true});
  }
}
