/**
 * A KL autoencoder, trained on the targets of a training set.
 */
import {ArgumentError} from '../../errors.ts';
import {describeAutoencoderKLWeights, parseAutoencoderKLConfig} from '../../models/autoencoder-kl.ts';
import {type HostTensor, stackRows} from '../../pipelines/host-tensor.ts';
import type {TorchGenerator} from '../../schedulers/torch-generator.ts';
import {type AutoencoderBatch, autoencoderLoss} from '../autoencoder-loss.ts';
import {preparedPixels} from '../batches/prepare-pictures.ts';
import {SampleStream} from '../batches/sample-stream.ts';
import {initialWeights} from '../initial-weights.ts';
import type {Objective} from '../objective.ts';
import {encodedBatches} from './encoded-batches.ts';
import {configText, type ModelConfigJson, type ModelSetup} from './model-setup.ts';

export interface AutoencoderSetup extends ModelSetup {
  /** In diffusers' names. */
  readonly config: ModelConfigJson;
  readonly klWeight: number;
}

interface Sample {
  readonly pixels: HostTensor;
  readonly generator: TorchGenerator;
}

/** @throws ArgumentError for a configuration that is none, or sizes that the model does not halve to whole latents */
export function autoencoderObjective(setup: AutoencoderSetup): Objective<AutoencoderBatch> {
  const {engine, dtype, dataset, training, klWeight} = setup;
  const config = parseAutoencoderKLConfig(setup.config);
  const {buckets, seed} = training;
  const scaleFactor = 2 ** (config.blockOutChannels.length - 1);
  const bad = buckets.flat().find(side => side % scaleFactor !== 0);
  if (bad !== undefined) {
    throw new ArgumentError(
      `resolution, buckets: expected sides in multiples of ${scaleFactor}, got ${bad}.`,
    );
  }
  const noiseShape = ([, , height, width]: readonly number[]) => [
    1,
    config.latentChannels,
    height! / scaleFactor,
    width! / scaleFactor,
  ];
  return {
    engine,
    dtype,
    label: 'vae',
    initial: initialWeights(describeAutoencoderKLWeights(config), {seed}),
    files: {
      weights: 'diffusion_pytorch_model.safetensors',
      companions: new Map([['config.json', configText({...setup.config, _class_name: 'AutoencoderKL'})]]),
    },
    lossOf: (weights, batch) => autoencoderLoss(weights, config, batch, {klWeight, dtype}),
    openBatches: (state, place) =>
      encodedBatches<AutoencoderBatch, Sample>(
        new SampleStream(
          dataset,
          {
            async prepare({sample, generator}, pool) {
              const picture = await pool.run({picture: sample.target, form: {buckets}});
              return 'reason' in picture ? picture : {pixels: preparedPixels(picture), generator};
            },
            sizeOf: ({pixels}) => pixels.shape.join(),
          },
          training,
          state,
        ),
        place,
        samples => ({
          image: stackRows(samples.map(({pixels}) => pixels)),
          noise: stackRows(
            samples.map(({pixels, generator}) => {
              const shape = noiseShape(pixels.shape);
              return {shape, data: generator.randn(shape)};
            }),
          ),
        }),
      ),
  };
}
