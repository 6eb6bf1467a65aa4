/**
 * The options of `generate`: those of the API under the same names in kebab-case.
 */
import {Command, Option} from '@commander-js/extra-typings';
import {imageFits} from '../../images/clip-preprocess.ts';
import {controlPreprocesses} from '../../pipelines/control-preprocess.ts';
import type {GenerateOptions} from '../../pipelines/generate-options.ts';
import {promptSyntaxes} from '../../pipelines/prompt-chunks.ts';
import {addDenoisingOptions, denoisingOptions} from './denoising-options.ts';
import {collect, collectChoices, collectNumbers, defined, parseNumber, single} from './parse-values.ts';
import {readConditions} from './read-conditions.ts';

/** A command with the options of {@link PictureFlags}; those marked "repeatable" take one value per sample. */
export function pictureCommand(name: string, {needsPrompt = false} = {}) {
  const prompt = new Option('--prompt <text>', 'what to paint; repeatable').argParser(collect);
  const command = new Command(name)
    .addOption(prompt.makeOptionMandatory(needsPrompt))
    .option('--negative-prompt <text>', 'what to keep away from; repeatable', collect)
    .addOption(
      new Option(
        '--prompt-syntax <syntax>',
        'weighted: (word), [word], (word:1.3), BREAK and any length; default: plain',
      ).choices(promptSyntaxes),
    )
    .option('--ip-adapter-image <file>', 'condition image; repeatable', collect)
    .option('--instruction <text>', 'what to take from the condition image, in words; repeatable', collect)
    .option(
      '--conditions <file>',
      'JSON list of several conditions, in place of --ip-adapter-image: image, instruction, adapter, scale, mask …',
    )
    .option(
      '--neg-content-prompt <text>',
      'what the condition image shows, to leave it out; repeatable',
      collect,
    )
    .option('--neg-content-scale <scale>', 'how much of it is left out (default: 1)', parseNumber)
    .option('--ip-adapter-start <share>', 'of the steps, from which the adapter acts', parseNumber)
    .option('--ip-adapter-end <share>', 'of the steps, up to which the adapter acts', parseNumber)
    .addOption(new Option('--fit <fit>', 'how the condition image becomes a square').choices(imageFits))
    .option('--pad-color <color>', 'with --fit pad (default: black)')
    .option('--background <color>', 'under transparent pixels (default: white)')
    .option(
      '--unconditional-image <kind>',
      'what guidance leads away from: zero, black, noise, or the file of a picture (default: zero)',
    )
    .option('--guidance-rescale <factor>', 'default: 0', parseNumber)
    .option('--clip-skip <layers>', 'layers of the text encoder to leave out (default: 0)', parseNumber)
    .option('--num-images-per-prompt <n>', 'default: 1', parseNumber)
    .option('--seed <n>', "of PyTorch's CPU generator (default: random); repeatable", collectNumbers)
    .option('--eta <eta>', 'of DDIM (default: 0)', parseNumber)
    .option('--image <file>', 'image to image: where to start from; repeatable', collect)
    .option('--mask-image <file>', 'inpainting: white is painted anew; repeatable', collect)
    .option('--strength <share>', 'of the steps that image to image runs', parseNumber)
    .option('--control-image <file>', 'one for each --controlnet', collect)
    .option(
      '--control-preprocess <kind>',
      'canny, scribble or none: what is made of control images; one, or one for each --controlnet',
      collectChoices(controlPreprocesses),
    )
    .option('--controlnet-conditioning-scale <scale>', 'one, or one for each --controlnet', collectNumbers)
    .option('--control-guidance-start <share>', 'one, or one for each --controlnet', collectNumbers)
    .option('--control-guidance-end <share>', 'one, or one for each --controlnet', collectNumbers);
  return addDenoisingOptions(command);
}

export type PictureFlags = ReturnType<ReturnType<typeof pictureCommand>['opts']>;

/**
 * The options of the API that the command line asks for.
 *
 * @throws FileError, ArgumentError where its file of conditions cannot be used
 */
export async function toGenerateOptions(flags: PictureFlags): Promise<GenerateOptions> {
  const conditions = flags.conditions === undefined ? undefined : await readConditions(flags.conditions);
  return {
    prompt: single(flags.prompt ?? ['']),
    ...denoisingOptions(flags),
    ...defined({
      negativePrompt: single(flags.negativePrompt),
      promptSyntax: flags.promptSyntax,
      ipAdapterImage: single(flags.ipAdapterImage),
      instruction: single(flags.instruction),
      conditions,
      negContentPrompt: single(flags.negContentPrompt),
      negContentScale: flags.negContentScale,
      ipAdapterStart: flags.ipAdapterStart,
      ipAdapterEnd: flags.ipAdapterEnd,
      fit: flags.fit,
      padColor: flags.padColor,
      background: flags.background,
      unconditionalImage: flags.unconditionalImage,
      guidanceRescale: flags.guidanceRescale,
      clipSkip: flags.clipSkip,
      numImagesPerPrompt: flags.numImagesPerPrompt,
      seed: single(flags.seed),
      eta: flags.eta,
      image: single(flags.image),
      maskImage: single(flags.maskImage),
      strength: flags.strength,
      controlImage: single(flags.controlImage),
      controlPreprocess: single(flags.controlPreprocess),
      controlnetConditioningScale: single(flags.controlnetConditioningScale),
      controlGuidanceStart: single(flags.controlGuidanceStart),
      controlGuidanceEnd: single(flags.controlGuidanceEnd),
    }),
  };
}
