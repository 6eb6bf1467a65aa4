/**
 * Pictures for an evaluation.
 */
import type {RunOptions} from '../engine/compiled-function.ts';
import type {RgbImage} from '../images/image.ts';
import {generate} from '../pipelines/generate.ts';
import type {GenerateOptions} from '../pipelines/generate-options.ts';
import type {PictureRequest} from './picture-requests.ts';

/** The options of `generate` that are one and the same for all pictures, with its defaults. */
export type GenerationSettings = Pick<
  GenerateOptions,
  | 'negativePrompt'
  | 'ipAdapterScale'
  | 'autoScale'
  | 'fit'
  | 'height'
  | 'width'
  | 'numInferenceSteps'
  | 'guidance'
  | 'guidanceScale'
  | 'instructGuidanceScale'
  | 'imageGuidanceScale'
  | 'scheduler'
>;

/**
 * One batch, of one adapter.
 *
 * @param conditions one for each request
 * @throws ArgumentError for settings that make no sense; NumericError where a prediction is not finite; the signal's reason
 */
export async function makePictures(
  requests: readonly PictureRequest[],
  conditions: readonly RgbImage[],
  {guidance, ...settings}: GenerationSettings,
  {signal}: Pick<RunOptions, 'signal'>,
): Promise<RgbImage[]> {
  const {models, instructions} = requests[0]!.adapter;
  const readsInstruction = instructions !== 'none';
  const {images} = await generate(models, {
    ...settings,
    prompt: requests.map(({sample}) => sample.prompt),
    ...(readsInstruction && {
      instruction: requests.map(({instruction}) => instruction),
      // Another adapter has one kind of guidance only.
      ...(guidance !== undefined && {guidance}),
    }),
    ipAdapterImage: conditions.map(condition => ({...condition, channels: 3 as const})),
    seed: requests.map(({seed}) => seed),
    ...(signal !== undefined && {signal}),
    // Training cuts prompts as well, and says nothing.
    onWarning: () => undefined,
  });
  return images.map(({image}) => image!);
}
