import {Command} from '@commander-js/extra-typings';
import type {FunctionPlan} from '../../engine/compiled-function.ts';
import {ArgumentError} from '../../errors.ts';
import {printGraph} from '../../graph/print.ts';
import {planText} from '../../inspect/plan-text.ts';
import {describeWeights} from '../../inspect/weights-report.ts';
import {weightsText} from '../../inspect/weights-text.ts';
import type {ModelFlags} from '../options/model-options.ts';
import {addModelOptions, openPipeline} from '../options/model-options.ts';
import {parseNumber} from '../options/parse-values.ts';
import {type PictureFlags, pictureCommand, toGenerateOptions} from '../options/picture-options.ts';

export function inspectCommand() {
  return new Command('inspect')
    .description('say what a weight file or model folder holds')
    .argument('<path>', 'weight file, component folder or diffusers folder')
    .option('--tensors', 'list all tensors')
    .option('--adapter-heads <n>', "attention heads of an adapter's resampler", parseNumber)
    .option('--json', 'print one JSON object')
    .action(async (path, {tensors: listTensors, adapterHeads, json}) => {
      const reports = await describeWeights(path, {adapterHeads});
      if (json) {
        const shown = reports.map(({tensors, ...rest}) => (listTensors ? {...rest, tensors} : rest));
        print(JSON.stringify({weights: shown}));
      } else {
        print(reports.map(report => weightsText(report, {listTensors: listTensors ?? false})).join('\n\n'));
      }
    })
    .addCommand(graphCommand())
    .addCommand(memoryCommand());
}

function graphCommand() {
  return planCommand('graph', "print a program's graph as the runtime gets it").action(async flags => {
    for (const {graph} of await plansOf(flags)) print(printGraph(graph));
  });
}

function memoryCommand() {
  return planCommand('memory', "print a program's memory plan").action(async flags => {
    for (const plan of await plansOf(flags)) print(`${planText(plan)}\n`);
  });
}

/** Takes the options of `generate`: programs depend on sizes, batch and guidance. */
function planCommand(name: string, description: string) {
  return addModelOptions(pictureCommand(name).description(description)).option(
    '--program <name>',
    'one program only, such as unet, vae.decode or text_encoder',
  );
}

async function plansOf(
  flags: PictureFlags & ModelFlags & {readonly program?: string | undefined},
): Promise<readonly FunctionPlan[]> {
  const pipeline = await openPipeline(flags);
  try {
    const plans = pipeline.plan(await toGenerateOptions(flags));
    if (flags.program === undefined) return plans;
    const chosen = plans.filter(({name}) => name === flags.program);
    if (chosen.length > 0) return chosen;
    const known = plans.map(({name}) => name).join(', ');
    throw new ArgumentError(`program: expected one of ${known} but received '${flags.program}'.`);
  } finally {
    await pipeline.dispose();
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
