/**
 * Every environment variable of the package's own; those of the hub are in `hub/hub-environment.ts`.
 *
 * | variable              | value                               | meaning                                                |
 * | --------------------- | ----------------------------------- | ------------------------------------------------------ |
 * | `IPAI_BINARY_PATH`    | a file                              | the compiled addon to load, before any other           |
 * | `IPAI_CUDA_LIBRARY`   | a file                              | the CUDA library to load, before any other             |
 * | `IPAI_NUM_THREADS`    | 1 to 1024                           | threads for one op; default: the cores shared by ranks |
 * | `IPAI_CPU_TARGET`     | portable, avx2, avx512, avx512_bf16 | instruction set; default: the widest there is          |
 * | `IPAI_CHECK_NAN`      | 1                                   | fail at the first op whose output holds a NaN          |
 * | `IPAI_DEBUG`          | 1, 2                                | on stderr: 1 devices and plans, 2 also times of runs   |
 * | `IPAI_LANGUAGE_MODEL` | a name                              | the language model to ask, by its server's name for it |
 * | `OPENAI_BASE_URL`     | an URL, up to /v1                   | the server of the language model                       |
 * | `OPENAI_API_KEY`      | a key                               | what that server wants to see, if it does              |
 * | `IPAI_API_KEY`        | a key                               | what `ipai serve` wants to see, besides `--api-key`    |
 *
 * Launchers of several processes set `OMPI_COMM_WORLD_SIZE` (Open MPI's mpirun), `PMI_SIZE` (that of MPICH and its kin) and
 * `SLURM_STEP_NUM_TASKS` (srun).
 */
import {ArgumentError} from '../errors.ts';

const maxThreads = 1024;
const maxDebugLevel = 2;

/** Path of the compiled addon, when one is forced. */
export function binaryPath(): string | undefined {
  return variable('IPAI_BINARY_PATH');
}

/** Path of the CUDA library, when one is forced. */
export function cudaLibrary(): string | undefined {
  return variable('IPAI_CUDA_LIBRARY');
}

/** @throws ArgumentError unless it is a whole number from 1 to 1024 */
export function numThreads(): number | undefined {
  return integerVariable('IPAI_NUM_THREADS', 1, maxThreads);
}

/** The CPU target's name, which the native runtime checks. */
export function cpuTarget(): string | undefined {
  return variable('IPAI_CPU_TARGET');
}

/** @throws ArgumentError unless it is 0 or 1 */
export function checksNan(): boolean {
  return integerVariable('IPAI_CHECK_NAN', 0, 1) === 1;
}

/** @throws ArgumentError unless it is 0, 1 or 2 */
export function debugLevel(): number {
  return integerVariable('IPAI_DEBUG', 0, maxDebugLevel) ?? 0;
}

/** The language model to ask, unless another is given. */
export function languageModelName(): string | undefined {
  return variable('IPAI_LANGUAGE_MODEL');
}

/** The server of the language model, unless another is given. */
export function languageModelUrl(): string | undefined {
  return variable('OPENAI_BASE_URL');
}

/** Never to be shown or kept. */
export function languageModelKey(): string | undefined {
  return variable('OPENAI_API_KEY');
}

/** Processes that a launcher has begun together, this one among them; 1 where there is no launcher. */
export function launchedProcesses(): number {
  // The first that is there: an mpirun within a job of Slurm is the launcher.
  for (const name of ['OMPI_COMM_WORLD_SIZE', 'PMI_SIZE', 'SLURM_STEP_NUM_TASKS']) {
    const size = integerVariable(name, 1, Number.MAX_SAFE_INTEGER);
    if (size !== undefined) return size;
  }
  return 1;
}

/** What clients of our own server must know. Never to be shown or kept. */
export function serverKey(): string | undefined {
  return variable('IPAI_API_KEY');
}

/** An empty variable counts as one that is not set. */
function variable(name: string): string | undefined {
  return process.env[name] || undefined;
}

function integerVariable(name: string, min: number, max: number): number | undefined {
  const text = variable(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new ArgumentError(
    `environment variable ${name}: expected a whole number from ${min} to ${max} but received '${text}'.`,
  );
}
