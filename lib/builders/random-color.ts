import type {TorchGenerator} from '../schedulers/torch-generator.ts';

/** Any colour of 8 bits a channel, all equally often. */
export function randomColor(generator: TorchGenerator): readonly [number, number, number] {
  const [red, green, blue] = generator.rand([3]).map(share => Math.floor(256 * share));
  return [red!, green!, blue!];
}
