/**
 * A KL autoencoder, trained on the targets of a training set.
 */
import {HostWeights} from '../../engine/host-weights.ts';
import {ArgumentError} from '../../errors.ts';
import {describeAutoencoderKLWeights, parseAutoencoderKLConfig} from '../../models/autoencoder-kl.ts';
import {Weights} from '../../nn/weights.ts';
import {type HostTensor, stackRows} from '../../pipelines/host-tensor.ts';
import type {TorchGenerator} from '../../schedulers/torch-generator.ts';
import type {WeightIndex} from '../../weights/stored-tensor.ts';
import {type AutoencoderBatch, autoencoderLoss} from '../autoencoder-loss.ts';
import {preparedPixels} from '../batches/prepare-pictures.ts';
import {SampleStream} from '../batches/sample-stream.ts';
import {initialWeights} from '../initial-weights.ts';
import type {Objective} from '../objective.ts';
import {encodedBatches} from './encoded-batches.ts';
import {configText, type ModelConfigJson, type ModelSetup} from './model-setup.ts';
import {readWeights} from './read-weights.ts';

export interface AutoencoderSetup extends ModelSetup {
  /** In diffusers' names. */
  readonly config: ModelConfigJson;
  readonly klWeight: number;
  /** Weights whose decoder goes on and whose encoder stays; without them all are drawn. */
  readonly from?: WeightIndex | undefined;
}

interface Sample {
  readonly pixels: HostTensor;
  readonly generator: TorchGenerator;
}

/** Of what makes latents. */
const encoderNames = /^(encoder|quant_conv)\./;

/**
 * @throws ArgumentError for a configuration that is none, or sizes that the model does not halve to whole latents;
 *   WeightsError for weights to begin with of another
 */
export async function autoencoderObjective(setup: AutoencoderSetup): Promise<Objective<AutoencoderBatch>> {
  const {engine, dtype, dataset, training, klWeight, from} = setup;
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
  const shapes = describeAutoencoderKLWeights(config);
  const weights = from && [...(await readWeights(shapes, from, 'vae'))];
  const frozen = weights && new Map(weights.filter(([name]) => encoderNames.test(name)));
  const encoder = frozen && new Weights(new HostWeights('encoder', frozen));
  return {
    engine,
    dtype,
    label: 'vae',
    initial: weights
      ? new Map(weights.filter(([name]) => !encoderNames.test(name)))
      : initialWeights(shapes, {seed}),
    files: {
      weights: 'diffusion_pytorch_model.safetensors',
      frozen,
      companions: new Map([['config.json', configText({...setup.config, _class_name: 'AutoencoderKL'})]]),
    },
    lossOf: (trained, batch) =>
      autoencoderLoss({encoder: encoder ?? trained, decoder: trained}, config, batch, {klWeight, dtype}),
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
