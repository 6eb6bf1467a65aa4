import {FileError} from '../../../errors.ts';
import {TorchGenerator} from '../../../schedulers/torch-generator.ts';
import {type Measurement, measure, noiseTolerance} from '../measurement.ts';
import type {ReferenceCase, ReferenceTensors} from '../reference-case.ts';
import type {ReferenceModels} from '../reference-models.ts';

/** Tensors `seed<S>_<shape>`, such as `seed42_1x4x8x8`: what PyTorch's CPU generator draws. */
export async function checkTorchRandn(
  _models: ReferenceModels,
  _settings: ReferenceCase,
  tensors: ReferenceTensors,
): Promise<Measurement[]> {
  return tensors.names.map(name => {
    const [, seed, shape] = /^seed(\d+)_(\d+(?:x\d+)*)$/.exec(name) ?? [];
    if (seed === undefined || shape === undefined) {
      throw new FileError(`tensor '${name}': expected a name such as 'seed42_1x4x8x8'.`);
    }
    const extents = shape.split('x').map(Number);
    const data = new TorchGenerator(BigInt(seed)).randn(extents);
    return measure(name, {shape: extents, data}, tensors.get(name), noiseTolerance);
  });
}
