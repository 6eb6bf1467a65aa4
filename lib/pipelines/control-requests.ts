/**
 * From the options about ControlNets to one request per loaded net.
 */
import {ArgumentError, NumericError} from '../errors.ts';
import {decodeImage, type ImageInput} from '../images/decode-image.ts';
import {conditionToTensor} from '../images/latent-image.ts';
import type {ControlNet} from './components/control-net.ts';
import {type ControlPreprocess, checkControlPreprocess, preprocessControl} from './control-preprocess.ts';
import {
  type ControlPixels,
  checkFinite,
  checkRange,
  type GenerateOptions,
  perSample,
} from './generate-options.ts';
import type {LatentSize} from './initial-latents.ts';
import type {ControlRequest} from './step-inputs.ts';

/**
 * @throws ArgumentError unless there is a control picture for each loaded net that its preprocess can read, FileError for
 *   unreadable pictures
 */
export async function resolveControls(
  nets: readonly ControlNet[],
  options: GenerateOptions,
  {height, width}: Pick<LatentSize, 'height' | 'width'>,
): Promise<ControlRequest[]> {
  const {controlImage} = options;
  if (controlImage === undefined) return [];
  const images = (Array.isArray(controlImage) ? controlImage : [controlImage]) as (
    | ImageInput
    | ControlPixels
  )[];
  if (images.length !== nets.length) {
    throw new ArgumentError(
      `controlImage: expected ${nets.length} pictures, one for each loaded ControlNet, but received ${images.length}.`,
    );
  }
  const scales = perSample('controlnetConditioningScale', options.controlnetConditioningScale, nets.length);
  const starts = perSample('controlGuidanceStart', options.controlGuidanceStart, nets.length);
  const ends = perSample('controlGuidanceEnd', options.controlGuidanceEnd, nets.length);
  const preprocesses = perSample('controlPreprocess', options.controlPreprocess, nets.length);
  return Promise.all(
    nets.map(async (net, index): Promise<ControlRequest> => {
      const preprocess = checkControlPreprocess(preprocesses[index] ?? 'none');
      const data = await controlPixels(images[index]!, preprocess, options, {height, width});
      return {
        net,
        pixels: {shape: [1, 3, height, width], data},
        scale: checkFinite('controlnetConditioningScale', scales[index] ?? 1),
        start: checkRange('controlGuidanceStart', starts[index] ?? 0, 0, 1),
        end: checkRange('controlGuidanceEnd', ends[index] ?? 1, 0, 1),
      };
    }),
  );
}

async function controlPixels(
  image: ImageInput | ControlPixels,
  preprocess: ControlPreprocess,
  {background}: GenerateOptions,
  {height, width}: Pick<LatentSize, 'height' | 'width'>,
): Promise<Float32Array> {
  if (typeof image === 'object' && 'pixels' in image) {
    if (preprocess === 'none') return checkPixels(image, 3 * height * width);
    throw new ArgumentError(
      `controlPreprocess: expected a picture for ${preprocess} to read, but controlImage has pixels, which are taken ` +
        "as they are. Give a file, its bytes or samples, or choose 'none'.",
    );
  }
  const decoded = await decodeImage(image, {
    name: 'controlImage',
    ...(background !== undefined && {background}),
  });
  const control = await preprocessControl(decoded, preprocess, {width, height});
  return conditionToTensor(control, width, height);
}

function checkPixels({pixels}: ControlPixels, size: number): Float32Array {
  if (!(pixels instanceof Float32Array) || pixels.length !== size) {
    throw new ArgumentError(
      `controlImage.pixels: expected a Float32Array of ${size} values [3, height, width], got ${pixels?.length}.`,
    );
  }
  if (pixels.every(Number.isFinite)) return pixels;
  throw new NumericError('controlImage.pixels: expected finite values, got NaN or infinity.');
}
