/**
 * The factor reader, trained on pictures that are drawn for it: all combinations of factors, those that generators are kept
 * from among them, for that it is to read what they were not shown.
 */
import {Choices} from '../../datasets/world/choices.ts';
import {drawPortrait, drawScene} from '../../datasets/world/draw-factors.ts';
import {factorClassLabels, factorGroups} from '../../datasets/world/factor-groups.ts';
import {factorTargets, labelsOf} from '../../datasets/world/factor-labels.ts';
import {renderPicture} from '../../datasets/world/render.ts';
import type {Tensor} from '../../graph/tensor.ts';
import {imageToTensor} from '../../images/latent-image.ts';
import {
  describeFactorReaderWeights,
  factorReader,
  parseFactorReaderConfig,
} from '../../models/factor-reader.ts';
import type {Autoencoder} from '../../pipelines/components/autoencoder.ts';
import {type HostTensor, stackRows} from '../../pipelines/host-tensor.ts';
import type {RankPlace} from '../../runtime/communicator.ts';
import {TorchGenerator} from '../../schedulers/torch-generator.ts';
import {rowsOfRank} from '../batches/rows-of-rank.ts';
import type {StreamState} from '../batches/sample-stream.ts';
import type {HostBatch} from '../device-batch.ts';
import {factorLoss} from '../factor-loss.ts';
import {initialWeights} from '../initial-weights.ts';
import type {Batches, Objective} from '../objective.ts';
import {configText, type ModelConfigJson, type ModelSetup} from './model-setup.ts';

export interface FactorReaderSetup extends Omit<ModelSetup, 'dataset'> {
  /** In snake case; its labels are filled in. */
  readonly config: ModelConfigJson;
  /** What generated pictures come through: half of the batches do, so that its traces do not disturb the reader. */
  readonly vae: Autoencoder;
  /** Largest deviation of the normal noise that is added to pixels from -1 to 1. */
  readonly noise: number;
}

/** All float32. */
export type FactorReaderBatch = {
  /** [B, 3, S, S], from -1 to 1. */
  readonly pictures: Tensor;
  /** [B, classes of all groups] */
  readonly targets: Tensor;
};

/** @throws ArgumentError for a configuration that is none */
export function factorReaderObjective(setup: FactorReaderSetup): Objective<FactorReaderBatch> {
  const {engine, dtype, training} = setup;
  const json = {...setup.config, labels: factorClassLabels};
  const config = parseFactorReaderConfig(json);
  const groupSizes = factorGroups.map(({classes}) => classes.length);
  return {
    engine,
    dtype,
    label: 'reader',
    initial: initialWeights(describeFactorReaderWeights(config), {seed: training.seed}),
    files: {weights: 'model.safetensors', companions: new Map([['config.json', configText(json)]])},
    lossOf: (weights, {pictures, targets}) => ({
      loss: factorLoss(factorReader(weights, config, pictures), targets, groupSizes),
    }),
    openBatches: (state, place) => new DrawnBatches(setup, config.sampleSize, state, place),
  };
}

/** Pictures are drawn when they are asked for; the next batch while a step is computed. */
class DrawnBatches implements Batches<FactorReaderBatch> {
  readonly problems = [];
  readonly #setup: FactorReaderSetup;
  readonly #side: number;
  readonly #place: RankPlace | undefined;
  #draws: number;
  #ahead: Promise<HostBatch<FactorReaderBatch>> | undefined;

  constructor(
    setup: FactorReaderSetup,
    side: number,
    state: StreamState | undefined,
    place: RankPlace | undefined,
  ) {
    this.#setup = setup;
    this.#side = side;
    this.#place = place;
    this.#draws = state?.draws ?? 0;
  }

  get state(): StreamState {
    return {draws: this.#draws, taken: {}, waiting: []};
  }

  async next(): Promise<HostBatch<FactorReaderBatch>> {
    const batch = await (this.#ahead ?? this.#draw(this.#draws));
    this.#draws += this.#setup.training.batchSize;
    this.#ahead = this.#draw(this.#draws);
    // Whoever awaits it is told; it may fail before that.
    this.#ahead.catch(() => {});
    return batch;
  }

  async stop(): Promise<void> {
    await Promise.allSettled([this.#ahead]);
    this.#ahead = undefined;
  }

  /** @param first draws before it */
  async #draw(first: number): Promise<HostBatch<FactorReaderBatch>> {
    const {training, vae, noise} = this.#setup;
    const {batchSize, seed} = training;
    const rows = Array.from({length: batchSize}, (_, row) => row);
    const own = rowsOfRank(rows, this.#place);
    const drawn = await Promise.all(own.map(row => drawPicture(seed, first + row, this.#side)));
    const clean = stackRows(drawn.map(({pixels}) => pixels));
    const isRoundTrip = (first / batchSize) % 2 === 1;
    const pictures = isRoundTrip ? await vae.decode((await vae.encode(clean)).mean) : clean;
    const generator = new TorchGenerator(seed + first);
    const [share] = generator.rand([1]);
    // Drawn for the whole batch, that each rank's is what one process would have drawn.
    const normal = generator.randn([batchSize, ...pictures.shape.slice(1)]);
    const begin = (own[0]! * normal.length) / batchSize;
    const noisy = pictures.data.map((value, i) => value + share! * noise * normal[begin + i]!);
    return {
      pictures: {shape: pictures.shape, data: noisy},
      targets: stackRows(drawn.map(({targets}) => targets)),
    };
  }
}

async function drawPicture(
  seed: number,
  number: number,
  side: number,
): Promise<Readonly<Record<'pixels' | 'targets', HostTensor>>> {
  // Choices take 32 bits: the low ones of a product with an odd number are all different.
  const choices = new Choices(
    Number((BigInt(seed) * 0x9e3779b1n + BigInt(number) * 0x85ebca6bn) & 0xffffffffn),
  );
  const factors = choices.chance(0.5) ? drawPortrait(choices) : drawScene(choices);
  const targets = factorTargets(labelsOf(factors));
  return {
    pixels: {
      shape: [1, 3, side, side],
      data: await imageToTensor(await renderPicture(factors, side), side, side),
    },
    targets: {shape: [1, targets.length], data: targets},
  };
}
