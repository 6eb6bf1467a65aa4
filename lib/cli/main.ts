#!/usr/bin/env node
/**
 * The command `ipai`.
 */
import {createProgram} from './program.ts';
import {reportError} from './report-error.ts';

// Whoever reads may stop reading, as `head` does: not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

createProgram()
  .parseAsync()
  .catch((error: unknown) => {
    process.exitCode = reportError(error, {json: process.argv.includes('--json')});
  });
