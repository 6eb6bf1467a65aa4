/**
 * For tests that begin several processes.
 */
import {existsSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const library = fileURLToPath(new URL('../../build/Release/libipai_mpi.so', import.meta.url));
const hasLauncher = (process.env['PATH'] ?? '')
  .split(delimiter)
  .some(folder => existsSync(join(folder, 'mpirun')));

/** Why there can be none here; undefined where there can. */
export const mpiProblem = !hasLauncher
  ? 'mpirun is not installed'
  : !existsSync(library)
    ? `${library} was not built`
    : undefined;

/** The start of a command that begins so many processes on this machine, whatever it has. */
export function mpirun(processes: number, options: readonly string[] = []): string[] {
  const anywhere = ['--oversubscribe', '--allow-run-as-root', '--bind-to', 'none'];
  return ['mpirun', ...anywhere, ...options, '-n', `${processes}`];
}
