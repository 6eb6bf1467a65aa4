import type {RgbImage} from '../../images/image.ts';
import {renderCrop} from './crop-object.ts';
import {renderPicture} from './render.ts';
import type {WorldSample} from './tasks.ts';

/** What is to be made, and what the adapter sees. */
export interface SamplePictures {
  readonly target: RgbImage;
  readonly condition: RgbImage;
}

/** Both pictures of a sample, `side` by `side` pixels. */
export async function renderSample(sample: WorldSample, side: number): Promise<SamplePictures> {
  const {factors, crop} = sample.condition;
  const target = await renderPicture(sample.target, side);
  if (factors === sample.target) return {target, condition: target};
  const isCut = crop !== undefined && factors.type === 'scene';
  return {
    target,
    condition: isCut ? await renderCrop(factors, crop, side) : await renderPicture(factors, side),
  };
}
