/**
 * From the options about ControlNets to one request per loaded net.
 */
import {ArgumentError} from '../errors.ts';
import {decodeImage, type ImageInput} from '../images/decode-image.ts';
import {conditionToTensor} from '../images/latent-image.ts';
import type {ControlNet} from './components/control-net.ts';
import {checkFinite, checkRange, type GenerateOptions, perSample} from './generate-options.ts';
import type {LatentSize} from './initial-latents.ts';
import type {ControlRequest} from './step-inputs.ts';

/**
 * @throws ArgumentError unless there is a control picture for each loaded net, FileError for unreadable pictures
 */
export async function resolveControls(
  nets: readonly ControlNet[],
  options: GenerateOptions,
  {height, width}: LatentSize,
): Promise<ControlRequest[]> {
  const {controlImage} = options;
  if (controlImage === undefined) return [];
  const images: readonly ImageInput[] = Array.isArray(controlImage)
    ? controlImage
    : [controlImage as ImageInput];
  if (images.length !== nets.length) {
    throw new ArgumentError(
      `controlImage: expected ${nets.length} pictures, one for each loaded ControlNet, but received ${images.length}.`,
    );
  }
  const scales = perSample('controlnetConditioningScale', options.controlnetConditioningScale, nets.length);
  const starts = perSample('controlGuidanceStart', options.controlGuidanceStart, nets.length);
  const ends = perSample('controlGuidanceEnd', options.controlGuidanceEnd, nets.length);
  const {background} = options;
  return Promise.all(
    nets.map(async (net, index): Promise<ControlRequest> => {
      const decoded = await decodeImage(images[index]!, {
        name: 'controlImage',
        ...(background !== undefined && {background}),
      });
      return {
        net,
        pixels: {shape: [1, 3, height, width], data: await conditionToTensor(decoded, width, height)},
        scale: checkFinite('controlnetConditioningScale', scales[index] ?? 1),
        start: checkRange('controlGuidanceStart', starts[index] ?? 0, 0, 1),
        end: checkRange('controlGuidanceEnd', ends[index] ?? 1, 0, 1),
      };
    }),
  );
}
