/**
 * Weights of the adapter by block and layer, under the names that other programs have for them.
 *
 * - InstantStyle (Wang et al. 2024): the blocks that its code names for Stable Diffusion 1.5, there as experimental
 *   (`infer_style_sd15.py`).
 * - InvokeAI: the `method` of its IP-Adapter node (`invokeai/app/invocations/ip_adapter.py`). Of `style_strong` the code
 *   also names `up_blocks.0`, where Stable Diffusion 1.5 has no attention.
 * - ComfyUI: the `weight_type` of the IPAdapter nodes (ComfyUI_IPAdapter_plus, `IPAdapterPlus.py` and
 *   `CrossAttentionPatch.py`).
 *
 * What both call "precise" is no matter of weights, and not here: their unconditional branch reads the image in some layers.
 */
import {invalidArgument} from '../errors.ts';
import {type AdapterScale, checkFinite} from './generate-options.ts';

/** Cross-attention layers of Stable Diffusion 1.5. */
const layerCount = 16;

/**
 * ComfyUI's number of each layer in the order of `crossAttentionLayers`, which is down, up, mid. ComfyUI counts transformers
 * as they run (`transformer_index` in `comfy/ldm/modules/diffusionmodules/openaimodel.py`): 0 to 5 are those of input blocks
 * 1, 2, 4, 5, 7, 8, diffusers' `down_blocks.0` to `.2` with two each; 6 is the middle block's; 7 to 15 are those of output
 * blocks 3 to 11, `up_blocks.1` to `.3` with three each. The nodes count the middle last only to find weights in the
 * adapter's file, whose order is ours.
 */
const comfyUINumbers = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 6];

const isInput = (number: number) => number < 6;
const isMiddle = (number: number) => number === 6;
const isOutput = (number: number) => number > 6;
const ramp = (share: number) => 0.05 + 0.95 * share;
const distanceFromCentre = (number: number) => Math.abs(number - layerCount / 2) / (layerCount / 2);

type Factor = (number: number) => number;

const style: Factor = number => (number < 4 || number > 8 ? 1 : 0);
const composition: Factor = number => (number === 4 ? 0.25 : number === 5 ? 1 : 0);

function comfyUI(factor: Factor) {
  return (scale: number): AdapterScale => comfyUINumbers.map(number => scale * factor(number));
}

const presets = {
  'instantstyle:style': scale => ({up: {block_1: scale}}),
  'instantstyle:style-layout': scale => ({down: {block_2: scale}, mid: scale, up: {block_1: scale}}),
  'invokeai:full': scale => scale,
  'invokeai:style': scale => ({up: {block_1: scale}}),
  'invokeai:composition': scale => ({down: {block_2: scale}, mid: scale}),
  'invokeai:style-strong': scale => ({
    down: {block_0: scale, block_1: scale},
    up: {block_1: scale, block_2: scale},
  }),
  'comfyui:linear': scale => scale,
  'comfyui:ease-in': comfyUI(number => ramp(1 - number / layerCount)),
  'comfyui:ease-out': comfyUI(number => ramp(number / layerCount)),
  'comfyui:ease-in-out': comfyUI(number => ramp(1 - distanceFromCentre(number))),
  'comfyui:reverse-in-out': comfyUI(number => ramp(distanceFromCentre(number))),
  'comfyui:weak-input': comfyUI(number => (isInput(number) ? 0.2 : 1)),
  'comfyui:weak-middle': comfyUI(number => (isMiddle(number) ? 0.2 : 1)),
  'comfyui:weak-output': comfyUI(number => (isOutput(number) ? 0.2 : 1)),
  'comfyui:strong-middle': comfyUI(number => (isMiddle(number) ? 1 : 0.2)),
  'comfyui:style-transfer': comfyUI(style),
  'comfyui:composition': comfyUI(composition),
  'comfyui:strong-style-transfer': comfyUI(number => (composition(number) === 0 ? 1 : 0)),
  'comfyui:style-and-composition': comfyUI(number => style(number) + composition(number)),
} satisfies Record<string, (scale: number) => AdapterScale>;

/** Where an adapter acts and how strongly, under another program's name. */
export type BlockPreset = keyof typeof presets;
/** All their names. */
export const blockPresets = Object.keys(presets) as readonly BlockPreset[];

/**
 * The `ipAdapterScale` of another program's preset, for UNets of Stable Diffusion 1.5. Those of InstantStyle and InvokeAI
 * name blocks, and those of ComfyUI, `linear` apart, its 16 layers: a UNet of another number of layers refuses them.
 *
 * @param scale weight where the preset has 1; ComfyUI's and InvokeAI's `weight`
 * @throws ArgumentError for an unknown name, and a scale that is not finite
 */
export function blockPreset(name: BlockPreset, scale = 1): AdapterScale {
  if (!Object.hasOwn(presets, name)) {
    throw invalidArgument('name', `one of ${blockPresets.join(', ')}`, name);
  }
  return presets[name](checkFinite('scale', scale));
}
