import test from 'ava';
import {ArgumentError} from '../../lib/errors.ts';
import {parseControlNetConfig} from '../../lib/models/controlnet-config.ts';
import {parseUNetConfig} from '../../lib/models/unet-config.ts';

test("defaults are diffusers': Stable Diffusion 1.5 but for the width of the text", t => {
  t.deepEqual(parseUNetConfig({}), {
    inChannels: 4,
    outChannels: 4,
    convInKernel: 3,
    convOutKernel: 3,
    blockOutChannels: [320, 640, 1280, 1280],
    downBlockTypes: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
    midBlockType: 'UNetMidBlock2DCrossAttn',
    upBlockTypes: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
    layersPerBlock: [2, 2, 2, 2],
    transformerLayersPerBlock: [1, 1, 1, 1],
    numAttentionHeads: [8, 8, 8, 8],
    crossAttentionDim: 1280,
    downsamplePadding: 1,
    normNumGroups: 32,
    normEps: 1e-5,
    useLinearProjection: false,
    flipSinToCos: true,
    freqShift: 0,
    timeEmbeddingDim: 1280,
    sampleSize: undefined,
  });
});

test('sample_size and attention_head_dim are numbers or lists; a null mid block is none', t => {
  const config = parseUNetConfig({
    sample_size: [64, 96],
    attention_head_dim: [5, 10, 20, 20],
    mid_block_type: null,
  });
  t.deepEqual(config.sampleSize, [64, 96]);
  t.deepEqual(config.numAttentionHeads, [5, 10, 20, 20]);
  t.is(config.midBlockType, null);
  t.deepEqual(parseUNetConfig({sample_size: 64}).sampleSize, [64, 64]);
});

test("a ControlNet's num_attention_heads comes before attention_head_dim", t => {
  t.deepEqual(parseControlNetConfig({attention_head_dim: 8}).numAttentionHeads, [8, 8, 8, 8]);
  const config = parseControlNetConfig({attention_head_dim: 8, num_attention_heads: [5, 10, 20, 20]});
  t.deepEqual(config.numAttentionHeads, [5, 10, 20, 20]);
});

for (const [key, value] of [
  ['act_fn', 'gelu'],
  ['addition_embed_type', 'text_time'],
  ['class_embed_type', 'projection'],
  ['encoder_hid_dim_type', 'ip_image_proj'],
  ['resnet_time_scale_shift', 'scale_shift'],
  ['time_cond_proj_dim', 256],
  ['mid_block_type', 'UNetMidBlock2DSimpleCrossAttn'],
  ['down_block_types', ['SimpleCrossAttnDownBlock2D', 'DownBlock2D', 'DownBlock2D', 'DownBlock2D']],
  ['cross_attention_dim', [768, 768, 768, 768]],
  ['conv_in_kernel', 4],
  ['layers_per_block', [2, 2]],
  ['attention_head_dim', 7],
  ['norm_num_groups', 48],
] as const) {
  test(`a UNet config with ${key} = ${JSON.stringify(value)} is refused by name`, t => {
    t.throws(() => parseUNetConfig({[key]: value}), {
      instanceOf: ArgumentError,
      message: new RegExp(`^UNet2DConditionModel config: .*${key}`),
    });
  });
}

for (const [key, value] of [
  ['global_pool_conditions', true],
  ['conditioning_channels', 1],
  ['controlnet_conditioning_channel_order', 'gbr'],
] as const) {
  test(`a ControlNet config with ${key} = ${value} is refused by name`, t => {
    t.throws(() => parseControlNetConfig({[key]: value}), {
      instanceOf: ArgumentError,
      message: new RegExp(`^ControlNetModel config: .*${key}`),
    });
  });
}
