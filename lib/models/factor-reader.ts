/**
 * The factor reader: a small convolutional network that tells what a drawn picture was drawn from. Its logits are those of
 * several classifications at once, which share all but the last layer.
 */
import {z} from 'zod';
import * as ops from '../graph/ops/index.ts';
import type {Tensor} from '../graph/tensor.ts';
import {input} from '../graph/trace.ts';
import {conv2d, layerNorm, linear, silu} from '../nn/layers.ts';
import {fromChannelsFirst} from '../nn/picture-layout.ts';
import {resnetBlock} from '../nn/resnet-block.ts';
import {collectWeightShapes, type Weights} from '../nn/weights.ts';
import {parseModelConfig} from './parse-model-config.ts';

/** Settings of a factor reader, as read by {@link parseFactorReaderConfig}. */
export interface FactorReaderConfig {
  /** Height and width of the pictures. */
  readonly sampleSize: number;
  /** One entry a block; each halves height and width. */
  readonly blockOutChannels: readonly number[];
  readonly normNumGroups: number;
  /** Channels that are left of each position before positions are joined. */
  readonly positionChannels: number;
  readonly hiddenSize: number;
  /** What each logit stands for: the classes of all classifications. */
  readonly labels: readonly string[];
}

const count = z.int().positive();

const schema = z.object({
  sampleSize: count.default(64),
  blockOutChannels: z.array(count).min(1).default([32, 64, 128]),
  normNumGroups: count.default(8),
  positionChannels: count.default(16),
  hiddenSize: count.default(256),
  labels: z.array(z.string()).min(1),
});

/**
 * Reads a factor reader's `config.json`.
 *
 * @throws ArgumentError that names every setting that is wrong
 */
export function parseFactorReaderConfig(json: unknown): FactorReaderConfig {
  return parseModelConfig('FactorReader', schema.check(checkSizes), json);
}

function checkSizes({value, issues}: z.core.ParsePayload<z.output<typeof schema>>): void {
  const {sampleSize, blockOutChannels, normNumGroups} = value;
  const factor = 2 ** blockOutChannels.length;
  if (sampleSize % factor !== 0) {
    const message = `expected a multiple of ${factor}, halved once for each of block_out_channels`;
    issues.push({code: 'custom', message, input: sampleSize, path: ['sampleSize']});
  }
  if (blockOutChannels.some(channels => channels % normNumGroups !== 0)) {
    const message = `expected multiples of norm_num_groups, ${normNumGroups}`;
    issues.push({code: 'custom', message, input: blockOutChannels, path: ['blockOutChannels']});
  }
}

/**
 * What pictures show: pictures float32 [B, 3, sampleSize, sampleSize] from -1 to 1 → logits float32 [B, labels.length].
 *
 * Positions are joined and not averaged, for that a layout is told by where things are.
 */
export function factorReader(weights: Weights, config: FactorReaderConfig, pictures: Tensor): Tensor {
  const {blockOutChannels, normNumGroups, positionChannels, hiddenSize, labels} = config;
  let x = fromChannelsFirst(pictures, 'float32');
  for (const [index, channels] of blockOutChannels.entries()) {
    const block = weights.at('down_blocks', index);
    x = conv2d(block.at('downsampler'), x, channels, {stride: 2});
    x = resnetBlock(block.at('resnet'), x, channels, {groups: normNumGroups, epsilon: 1e-6});
  }
  const positions = conv2d(weights.at('conv_out'), silu(x), positionChannels, {kernelSize: 1});
  const joined = ops.reshape({x: positions}, {shape: [x.dim(0), positions.size / x.dim(0)]});
  const hidden = silu(linear(weights.at('hidden'), layerNorm(weights.at('norm'), joined), hiddenSize));
  return linear(weights.at('classifier'), hidden, labels.length);
}

/** Names and shapes of the reader's weights. */
export function describeFactorReaderWeights(config: FactorReaderConfig): Map<string, readonly number[]> {
  const {sampleSize} = config;
  return collectWeightShapes('reader', weights => {
    const pictures = input('pictures', {shape: [1, 3, sampleSize, sampleSize], dtype: 'float32'});
    factorReader(weights, config, pictures);
  });
}
