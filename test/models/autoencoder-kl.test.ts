import test from 'ava';
import {ArgumentError} from '../../lib/errors.ts';
import {parseAutoencoderKLConfig, vaeDecode, vaeEncode} from '../../lib/models/autoencoder-kl.ts';
import {summarizeTrace, symbolic, symbolicWeights} from '../_helpers/symbolic.ts';

const blocks = (count: number) => ({
  down_block_types: Array<string>(count).fill('DownEncoderBlock2D'),
  up_block_types: Array<string>(count).fill('UpDecoderBlock2D'),
});
const sd15 = parseAutoencoderKLConfig({
  ...blocks(4),
  block_out_channels: [128, 256, 512, 512],
  layers_per_block: 2,
});

test('encodes pictures of any size at an eighth of it', t => {
  for (const dtype of ['float32', 'bfloat16'] as const) {
    const {outputs} = summarizeTrace(inputs => vaeEncode(symbolicWeights(), sd15, inputs, dtype), {
      image: symbolic([2, 3, 512, 776]),
    });
    t.deepEqual(outputs, ['f32[2, 4, 64, 97]', 'f32[2, 4, 64, 97]']);
  }
});

test('decodes latents of any size to eight times that', t => {
  for (const dtype of ['float32', 'bfloat16'] as const) {
    const {outputs} = summarizeTrace(inputs => vaeDecode(symbolicWeights(), sd15, inputs, dtype), {
      latents: symbolic([2, 4, 64, 97]),
    });
    t.deepEqual(outputs, ['f32[2, 3, 512, 776]']);
  }
});

test('the mean alone is had without the way back to pictures', t => {
  const {weights} = summarizeTrace(inputs => vaeEncode(symbolicWeights(), sd15, inputs, 'float32').mean, {
    image: symbolic([1, 3, 64, 64]),
  });
  t.false([...weights].some(name => name.startsWith('decoder.')));
});

test('reads a config with diffusers’ defaults', t => {
  t.like(parseAutoencoderKLConfig({}), {
    blockOutChannels: [64],
    layersPerBlock: 1,
    normNumGroups: 32,
    scalingFactor: 0.18215,
    useQuantConv: true,
    usePostQuantConv: true,
    midBlockAddAttention: true,
  });
});

test('refuses what belongs to other model families, and lists of unequal length', t => {
  const refuses = (json: object, message: RegExp) =>
    t.throws(() => parseAutoencoderKLConfig(json), {instanceOf: ArgumentError, message});
  refuses({act_fn: 'gelu'}, /act_fn: .*got 'gelu'/);
  refuses({shift_factor: 0.1159}, /shift_factor: .*got 0.1159/);
  refuses({latents_mean: [0, 0, 0, 0]}, /latents_mean: .*got an array of length 4/);
  refuses(
    {down_block_types: ['AttnDownEncoderBlock2D']},
    /down_block_types\.0: .*got 'AttnDownEncoderBlock2D'/,
  );
  refuses(
    {...blocks(3), block_out_channels: [32, 64]},
    /down_block_types: expected 2 entries, as many as block_out_channels, got an array of length 3/,
  );
});
