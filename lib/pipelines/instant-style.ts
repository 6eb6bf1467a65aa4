/**
 * InstantStyle's blocks (Wang et al. 2024): where the UNet attends to an image for its style, and for its layout.
 */
import {invalidArgument} from '../errors.ts';
import type {AdapterScale} from './generate-options.ts';

export const instantStyleTargets = ['style', 'style-layout'] as const;
/** What InstantStyle takes from a picture: its style alone, or its layout too. */
export type InstantStyleTarget = (typeof instantStyleTargets)[number];

/**
 * An `ipAdapterScale` of `scale` in InstantStyle's blocks and 0 elsewhere. They are those that its code names for Stable
 * Diffusion 1.5, there as experimental (`infer_style_sd15.py`): `up_blocks.1` for the style; `down_blocks.2`, `mid_block`
 * and `up_blocks.1` for style and layout.
 *
 * @throws ArgumentError where `target` is none of the two
 */
export function instantStyleScale(target: InstantStyleTarget, scale = 1): AdapterScale {
  if (!instantStyleTargets.includes(target)) {
    throw invalidArgument('target', `one of ${instantStyleTargets.join(', ')}`, target);
  }
  const style = {up: {block_1: scale}};
  return target === 'style' ? style : {down: {block_2: scale}, mid: scale, ...style};
}
