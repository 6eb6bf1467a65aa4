import test from 'ava';
import {ArgumentError} from '../../lib/errors.ts';
import {
  describeFactorReaderWeights,
  factorReader,
  parseFactorReaderConfig,
} from '../../lib/models/factor-reader.ts';
import {summarizeTrace, symbolic, symbolicWeights} from '../_helpers/symbolic.ts';

const labels = Array.from({length: 106}, (_, i) => `group/${i}`);

test('gives a logit for each label and picture', t => {
  const config = parseFactorReaderConfig({labels});
  const {outputs, weights} = summarizeTrace(
    ({pictures}) => factorReader(symbolicWeights(), config, pictures),
    {pictures: symbolic([3, 3, 64, 64])},
  );
  t.deepEqual(outputs, ['f32[3, 106]']);
  t.deepEqual([...weights].sort(), [...describeFactorReaderWeights(config).keys()].sort());
});

test('has fewer than a million weights, of which the last layer alone depends on the labels', t => {
  const shapes = describeFactorReaderWeights(parseFactorReaderConfig({labels}));
  const count = [...shapes.values()].reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
  t.true(count < 1e6, `${count}`);
  const others = describeFactorReaderWeights(parseFactorReaderConfig({labels: labels.slice(1)}));
  const changed = [...shapes].filter(([name, shape]) => `${others.get(name)}` !== `${shape}`);
  t.deepEqual(
    changed.map(([name]) => name),
    ['classifier.weight', 'classifier.bias'],
  );
});

test('other sizes are a matter of the config', t => {
  const config = parseFactorReaderConfig({
    labels: ['style/flat', 'style/comic'],
    sample_size: 32,
    block_out_channels: [8, 16],
    norm_num_groups: 4,
    position_channels: 3,
    hidden_size: 10,
  });
  const shapes = describeFactorReaderWeights(config);
  t.deepEqual(shapes.get('hidden.weight'), [10, 8 * 8 * 3]);
  t.deepEqual(shapes.get('classifier.weight'), [2, 10]);
});

test('refuses sizes that do not go together', t => {
  const refuses = (json: object, message: RegExp) =>
    t.throws(() => parseFactorReaderConfig(json), {instanceOf: ArgumentError, message});
  refuses({labels: []}, /labels/);
  refuses({}, /labels/);
  refuses({labels, sample_size: 60}, /sample_size: expected a multiple of 8.*got 60/);
  refuses(
    {labels, block_out_channels: [32, 60]},
    /block_out_channels: expected multiples of norm_num_groups, 8/,
  );
});
