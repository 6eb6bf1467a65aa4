import test from 'ava';
import {ArgumentError} from '../../lib/errors.ts';
import {TorchGenerator} from '../../lib/schedulers/torch-generator.ts';
import {readSafetensors} from '../_helpers/read-safetensors.ts';
import {relativeError} from '../_helpers/relative-error.ts';

const tensors = readSafetensors(
  new URL('../fixtures/reference/cases/torch_randn.safetensors', import.meta.url),
);
for (const [name, {shape, data}] of Object.entries(tensors)) {
  test(`randn gives torch.randn's ${name}`, t => {
    const seed = Number(/^seed(\d+)_/.exec(name)![1]);
    const error = relativeError(new TorchGenerator(seed).randn(shape), data);
    t.log(error);
    t.true(error <= 1e-6, `relative error ${error}`);
  });
}
