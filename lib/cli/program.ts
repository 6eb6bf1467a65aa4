import {Command, type CommandUnknownOpts} from '@commander-js/extra-typings';
import {ownPackage} from '../runtime/own-package.ts';
import {assembleCommand} from './commands/assemble.ts';
import {batchCommand} from './commands/batch.ts';
import {checkReferenceCommand} from './commands/check-reference.ts';
import {convertCommand} from './commands/convert.ts';
import {datasetCommand} from './commands/dataset.ts';
import {demoCommand} from './commands/demo.ts';
import {doctorCommand} from './commands/doctor.ts';
import {evaluateCommand} from './commands/evaluate.ts';
import {generateCommand} from './commands/generate.ts';
import {inspectCommand} from './commands/inspect.ts';
import {probeCommand} from './commands/probe.ts';
import {pullCommand} from './commands/pull.ts';
import {serveCommand} from './commands/serve.ts';
import {trainCommand} from './commands/train.ts';
import {workerCommand} from './commands/worker.ts';

/** All commands. Wrong usage throws instead of ending the process, for `reportError` to judge. */
export function createProgram(): CommandUnknownOpts {
  const program = new Command('ipai')
    .description(
      'Pictures from a prompt, a condition image and an instruction that says what to take from it.',
    )
    .version(ownPackage()?.version ?? 'unknown')
    .addCommand(generateCommand())
    .addCommand(batchCommand())
    .addCommand(workerCommand())
    .addCommand(serveCommand())
    .addCommand(trainCommand())
    .addCommand(evaluateCommand())
    .addCommand(probeCommand())
    .addCommand(assembleCommand())
    .addCommand(convertCommand())
    .addCommand(datasetCommand())
    .addCommand(pullCommand())
    .addCommand(inspectCommand())
    .addCommand(doctorCommand())
    .addCommand(demoCommand())
    .addCommand(checkReferenceCommand());
  throwOnWrongUsage(program);
  return program;
}

function throwOnWrongUsage(command: CommandUnknownOpts): void {
  command.exitOverride().showHelpAfterError('(--help lists the options)');
  for (const subcommand of command.commands) throwOnWrongUsage(subcommand);
}
