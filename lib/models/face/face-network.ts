/**
 * What the networks of face-api (npm's `@vladmandic/face-api`, MIT) have in common: one square picture in, numbers out.
 */
import type {Tensor} from '../../graph/tensor.ts';
import {input} from '../../graph/trace.ts';
import {collectWeightShapes, type Weights} from '../../nn/weights.ts';

export interface FaceNetwork {
  /** Its files are `<name>_model-weights_manifest.json` and what that names. */
  readonly name: string;
  /** Height and width of the pictures. */
  readonly side: number;
  /** Of red, green and blue, from 0 to 255; what pictures are less of, before they are divided by 255. */
  readonly meanRgb: readonly [number, number, number];
  /** Records it for pictures float32 [B, 3, side, side]; what comes out stands at each network. */
  readonly apply: (weights: Weights, pictures: Tensor) => Tensor;
}

/** Names and shapes of a network's weights, as its files have them. */
export function describeFaceNetworkWeights({name, side, apply}: FaceNetwork): Map<string, readonly number[]> {
  return collectWeightShapes(name, weights => {
    apply(weights, input('pictures', {shape: [1, 3, side, side], dtype: 'float32'}));
  });
}
