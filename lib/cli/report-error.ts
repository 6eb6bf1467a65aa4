import {CommanderError} from 'commander';
import {IPAdapterError} from '../errors.ts';
import {Interrupted} from './interrupt.ts';

const usageExitCode = 2;
const failureExitCode = 1;

export interface ReportOptions {
  /** Whether standard output is to hold one JSON object whatever happens. */
  readonly json: boolean;
}

/**
 * Tells the user what went wrong: the message on standard error, the stack too where `IPAI_DEBUG` is set.
 *
 * @returns the exit code: 1 for an error, 2 for wrong usage, 128 + signal where the work was interrupted, 0 for help
 */
export function reportError(error: unknown, {json}: ReportOptions): number {
  if (error instanceof CommanderError) {
    // Commander has printed the message, or the help that was asked for.
    if (error.exitCode === 0) return 0;
    if (json) printJsonError('usage', error.message.replace(/^error: /, ''));
    return usageExitCode;
  }
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (json) printJsonError(code, message);
  process.stderr.write(`${code === 'interrupted' ? '' : 'error: '}${message}\n`);
  if (process.env['IPAI_DEBUG'] && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return error instanceof Interrupted ? error.exitCode : failureExitCode;
}

function codeOf(error: unknown): string {
  if (error instanceof Interrupted) return 'interrupted';
  return error instanceof IPAdapterError ? error.code : 'internal';
}

function printJsonError(code: string, message: string): void {
  process.stdout.write(`${JSON.stringify({error: {code, message}})}\n`);
}
