/**
 * Weights of an IP-Adapter or IP-Adapter+ that nobody has trained yet, as IP-Adapter's training begins (Ye et al. 2023).
 */
import {cast} from '../../graph/ops/index.ts';
import type {Tensor} from '../../graph/tensor.ts';
import {describeAdapterWeights} from '../../models/ip-adapter.ts';
import {crossAttentionLayers} from '../../models/unet.ts';
import type {Denoiser} from '../../pipelines/components/denoiser.ts';
import {download, type HostTensor} from '../../pipelines/host-tensor.ts';
import {TorchGenerator} from '../../schedulers/torch-generator.ts';
import type {AdapterDescription} from '../../weights/adapter-kind.ts';
import {defaultWeight} from '../initial-weights.ts';

/**
 * The image attentions' keys and values begin as the text's, the learnt queries as normal noise over √dim, everything else
 * as PyTorch's layers do.
 *
 * @param denoiser the base model, whose text attentions are copied
 */
export async function newAdapterWeights(
  description: AdapterDescription,
  denoiser: Denoiser,
  seed: number,
): Promise<Map<string, HostTensor>> {
  const copies = await textProjections(denoiser);
  const generator = new TorchGenerator(seed);
  const shapes = describeAdapterWeights(description, crossAttentionLayers(denoiser.config));
  return new Map(
    [...shapes].map(([name, shape]) => {
      const copy = copies.get(name);
      if (copy !== undefined) return [name, copy];
      if (!name.endsWith('.latents')) return [name, defaultWeight(name, shape, generator)];
      const deviation = shape.at(-1)! ** -0.5;
      return [name, {shape, data: generator.randn(shape).map(x => x * deviation)}];
    }),
  );
}

/** The UNet's text keys and values, under the names of the image's. */
async function textProjections({engine, weights, config}: Denoiser): Promise<Map<string, HostTensor>> {
  const layers = crossAttentionLayers(config);
  const read = engine.compile(
    'train.begin',
    () =>
      Object.fromEntries(
        layers.flatMap(({path, channels, adapterIndex}) =>
          (['to_k', 'to_v'] as const).map((name): [string, Tensor] => {
            const x = weights.at(path, name).tensor('weight', [channels, config.crossAttentionDim]);
            return [`ip_adapter.${adapterIndex}.${name}_ip.weight`, cast({x}, {dtype: 'float32'})];
          }),
        ),
      ),
    {streamsWeights: true},
  );
  const copies = new Map<string, HostTensor>();
  for (const [name, tensor] of Object.entries(await read.run({}))) copies.set(name, await download(tensor));
  return copies;
}
