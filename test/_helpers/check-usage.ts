/**
 * Whether shell scripts use `ipai` as it is: its commands, options and their values, with nothing run.
 */
import type {CommandUnknownOpts} from '@commander-js/extra-typings';
import {createProgram} from '../../lib/cli/program.ts';

/** The arguments of each `ipai` in a script that has any. */
export function ipaiCommands(script: string): string[][] {
  const lines = script
    .replaceAll('\\\n', ' ')
    .split('\n')
    .flatMap(line => line.replace(/(^|\s)#.*$/, '').split(/&|\||;|>|\$\(|\)/));
  return lines.flatMap(line => {
    const words = [...line.matchAll(/'([^']*)'|"([^"]*)"|([^\s'"]+)/g)].map(([, a, b, c]) => a ?? b ?? c!);
    const at = words.indexOf('ipai');
    return at < 0 || at === words.length - 1 ? [] : [words.slice(at + 1)];
  });
}

/** @throws CommanderError where the program would refuse these arguments */
export function checkUsage(args: readonly string[]): void {
  const program = createProgram();
  silence(program);
  program.parse(args, {from: 'user'});
}

function silence(command: CommandUnknownOpts): void {
  command.configureOutput({writeErr: () => undefined});
  if (command.commands.length === 0 || command.registeredArguments.length > 0)
    command.action(() => undefined);
  for (const subcommand of command.commands) silence(subcommand);
}
