import {Command} from '@commander-js/extra-typings';
import type {DatasetProblem} from '../../datasets/dataset-sample.ts';
import type {Engine} from '../../engine/engine.ts';
import {type Communicator, openCommunicator} from '../../runtime/communicator.ts';
import type {ModelRecipe} from '../../training/recipes/model-recipe.ts';
import {openModelRecipe} from '../../training/recipes/open-model-recipe.ts';
import {openRecipe} from '../../training/recipes/open-recipe.ts';
import {type Recipe, readRecipe, trainsModel} from '../../training/recipes/recipe.ts';
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
    .description(
      'train an adapter, or a whole model; goes on from the newest checkpoint in the output folder; begun by mpirun or ' +
        'srun, processes train together',
    )
    .requiredOption('--config <file>', 'recipe, in YAML')
    .option('--output <folder>', "in place of the recipe's")
    .option('--dry-run', 'tell what the run expects, and what it will take of memory and time; train nothing')
    .option('--json', 'print one JSON object at the end')
    .action(flags =>
      flags.dryRun ? dryRun(flags.config, flags) : interruptible(signal => run(flags, signal)),
    );
}

/**
 * Ctrl-C, and the system's asking, end a run as its last step does: saved, and without an error. Of processes that train
 * together the first one prints.
 */
async function run(flags: Flags, signal: AbortSignal): Promise<void> {
  const read = await readRecipe(flags.config);
  const recipe = {...read, ...(flags.output && {output: flags.output})};
  const communicator = await openCommunicator();
  const prints = communicator.rank === 0;
  const {engine, problems, begin} = await open(recipe, communicator);
  if (prints) tellBeginning(problems, communicator, engine);
  try {
    const trainer = await begin();
    const progress = prints ? showTrainingProgress() : undefined;
    try {
      const result = await trainer.train({signal, onStep: progress?.onStep, onWatch: progress?.onWatch});
      progress?.stop();
      if (prints) report(flags, recipe.output, result);
    } finally {
      progress?.stop();
      trainer.dispose();
    }
  } finally {
    await engine.dispose();
  }
  await communicator.close();
}

interface Opened {
  readonly engine: Engine;
  readonly problems: readonly DatasetProblem[];
  readonly begin: () => Promise<Trainer>;
}

async function open(recipe: Recipe | ModelRecipe, communicator: Communicator): Promise<Opened> {
  if (trainsModel(recipe)) {
    const {objective, problems} = await openModelRecipe(recipe);
    const begin = () => Trainer.begin(objective, {...recipe.training, folder: recipe.output, communicator});
    return {engine: objective.engine, problems, begin};
  }
  const options = await openRecipe(recipe);
  const problems = [...options.dataset.problems, ...(options.validationSet?.problems ?? [])];
  const begin = () => Trainer.create({...options, communicator});
  return {engine: options.models.engine, problems, begin};
}

function tellBeginning(problems: readonly DatasetProblem[], {size}: Communicator, {device}: Engine): void {
  for (const {place, reason} of problems) warn(`${place}: ${reason}`);
  if (size === 1) return;
  const {threads} = device.systemInfo();
  process.stderr.write(
    `training in ${size} processes, each with ${threads} ${threads === 1 ? 'thread' : 'threads'}\n`,
  );
}

function report({json}: Flags, folder: string, result: TrainingResult): void {
  for (const {place, reason} of result.problems) warn(`${place}: ${reason}`);
  if (json) process.stdout.write(`${JSON.stringify({folder, ...result})}\n`);
  else {
    const state = result.isFinished ? 'finished' : 'stopped; the same command goes on';
    process.stdout.write(`${folder}: ${result.step} steps, ${state}\n`);
  }
}
