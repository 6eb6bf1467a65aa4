import test from 'ava';
import {WeightsError} from '../../lib/errors.ts';
import {reconcile} from '../../lib/weights/reconcile.ts';
import {tensorMap} from '../_helpers/tensor-map.ts';

test('gives the tensors in the model order; a 1x1 convolution passes for a linear layer and back', t => {
  const expected = new Map<string, readonly number[]>([
    ['norm', [8]],
    ['linear', [8, 4]],
    ['conv', [8, 4, 1, 1]],
  ]);
  const matched = reconcile(expected, tensorMap({conv: [8, 4], linear: [8, 4, 1, 1], norm: [8]}), 'vae');
  t.deepEqual(
    [...matched].map(([name, {shape}]) => [name, shape]),
    [...expected],
  );
});

test('one WeightsError lists everything that is missing, superfluous and misshapen', t => {
  const expected = new Map<string, readonly number[]>([
    ['kept', [1]],
    ['lost', [2, 3]],
    ['turned', [2, 3]],
    ['kernel', [2, 3, 1, 1]],
  ]);
  const found = tensorMap({kept: [1], turned: [3, 2], kernel: [2, 3, 3, 3], added: [5]});
  const error = t.throws(() => reconcile(expected, found, 'unet of /models/a'), {instanceOf: WeightsError});
  t.is(
    error.message,
    [
      'unet of /models/a: expected 4 tensors; got 4, which do not fit.',
      '1 missing:',
      '  lost [2, 3]',
      '1 superfluous:',
      '  added [5]',
      '2 of another shape:',
      '  turned: expected [2, 3], got [3, 2]',
      '  kernel: expected [2, 3, 1, 1], got [2, 3, 3, 3]',
      'The weights belong to another model or another configuration: check both.',
    ].join('\n'),
  );
});

test('long lists are whole', t => {
  const names = Array.from({length: 25}, (_, i) => [`w${i}`, [1]] as const);
  t.throws(() => reconcile(new Map(names), tensorMap({}), 'unet'), {
    message: /25 missing:\n( {2}w\d+ \[1\]\n){25}/,
  });
});
