import {Command} from '@commander-js/extra-typings';
import {openRecipe} from '../../training/recipes/open-recipe.ts';
import {readRecipe} from '../../training/recipes/recipe.ts';
import {Trainer} from '../../training/trainer.ts';
import type {TrainingResult} from '../../training/trainer-options.ts';
import {dryRun} from '../dry-run.ts';
import {interruptible} from '../interrupt.ts';
import {showTrainingProgress} from '../training-progress.ts';
import {warn} from '../warn.ts';

interface Flags {
  readonly config: string;
  readonly output?: string | undefined;
  readonly dryRun?: true | undefined;
  readonly json?: true | undefined;
}

export function trainCommand() {
  return new Command('train')
    .description('train an adapter; goes on from the newest checkpoint in the output folder')
    .requiredOption('--config <file>', 'recipe, in YAML')
    .option('--output <folder>', "in place of the recipe's")
    .option('--dry-run', 'tell what the run expects, and what it will take of memory and time; train nothing')
    .option('--json', 'print one JSON object at the end')
    .action(flags =>
      flags.dryRun ? dryRun(flags.config, flags) : interruptible(signal => run(flags, signal)),
    );
}

/** Ctrl-C, and the system's asking, end a run as its last step does: saved, and without an error. */
async function run(flags: Flags, signal: AbortSignal): Promise<void> {
  const recipe = await readRecipe(flags.config);
  const options = await openRecipe({...recipe, ...(flags.output && {output: flags.output})});
  const problems = [...options.dataset.problems, ...(options.validationSet?.problems ?? [])];
  for (const {place, reason} of problems) warn(`${place}: ${reason}`);
  try {
    const trainer = await Trainer.create(options);
    const progress = showTrainingProgress();
    try {
      const {onStep, onWatch} = progress;
      const result = await trainer.train({signal, onStep, onWatch});
      progress.stop();
      report(flags, options.folder, result);
    } finally {
      progress.stop();
      trainer.dispose();
    }
  } finally {
    await options.models.engine.dispose();
  }
}

function report({json}: Flags, folder: string, result: TrainingResult): void {
  for (const {place, reason} of result.problems) warn(`${place}: ${reason}`);
  if (json) process.stdout.write(`${JSON.stringify({folder, ...result})}\n`);
  else {
    const state = result.isFinished ? 'finished' : 'stopped; the same command goes on';
    process.stdout.write(`${folder}: ${result.step} steps, ${state}\n`);
  }
}
