/**
 * The options of `generate` and `evaluate` that say how pictures are denoised, whatever they are made of.
 */
import {type Command, Option} from '@commander-js/extra-typings';
import type {GenerateOptions} from '../../pipelines/generate-options.ts';
import {guidanceModes} from '../../pipelines/guidance.ts';
import {defined, parseAdapterScale, parseNumber} from './parse-values.ts';

export function addDenoisingOptions<Args extends unknown[], Flags extends Record<string, unknown>>(
  command: Command<Args, Flags>,
) {
  return command
    .option(
      '--ip-adapter-scale <scale>',
      'a number, JSON by block or layer, or a preset, such as instantstyle:style or comfyui:ease-in:0.8 (default: 0.7)',
      parseAdapterScale,
    )
    .option('--no-auto-scale', 'do not take 0.2 off the scale for composition and pose')
    .option('--height <pixels>', 'multiple of 8', parseNumber)
    .option('--width <pixels>', 'multiple of 8', parseNumber)
    .option('--steps, --num-inference-steps <n>', 'default: 50', parseNumber)
    .addOption(new Option('--guidance <mode>', 'default: auto with an instruction').choices(guidanceModes))
    .option('--guidance-scale <scale>', 'default: 7.5; with an instruction 6', parseNumber)
    .option('--instruct-guidance-scale <scale>', 'three-way guidance (default: 6)', parseNumber)
    .option('--image-guidance-scale <scale>', 'three-way guidance (default: 1)', parseNumber)
    .option('--scheduler <name>', "short name or diffusers class name (default: the model's)");
}

type DenoisingFlags = ReturnType<ReturnType<typeof addDenoisingOptions<[], Record<never, unknown>>>['opts']>;

/** The options of the API that they ask for. */
export function denoisingOptions(flags: DenoisingFlags) {
  const {ipAdapterScale, height, width, numInferenceSteps, guidance, guidanceScale, scheduler} = flags;
  const {instructGuidanceScale, imageGuidanceScale} = flags;
  return {
    autoScale: flags.autoScale,
    ...defined({ipAdapterScale, height, width, numInferenceSteps, guidance, guidanceScale, scheduler}),
    ...defined({instructGuidanceScale, imageGuidanceScale}),
  } satisfies Partial<GenerateOptions>;
}
