/**
 * Weights that training of IPAdapter-Instruct begins with, from those of an IP-Adapter+ (Rowles et al. 2024, §3.5).
 */
import {WeightsError} from '../../errors.ts';
import {sameShape} from '../../graph/ops/check.ts';
import type {HostTensor} from '../../pipelines/host-tensor.ts';
import {TorchGenerator} from '../../schedulers/torch-generator.ts';
import {defaultWeight} from '../initial-weights.ts';

/**
 * What the new blocks, those that attend to texts, begin with beside PyTorch's defaults.
 *
 * - `exact`: attentions and feed-forwards end in zeros, so that at first the adapter is the IP-Adapter+ that it came from,
 *   whatever the instruction, as the paper says it is.
 * - `paper`: attentions end in zeros, and feed-forwards in the paper's white noise, which moves the tokens by some
 *   thousandths, the same for every instruction.
 * - `released`: as the released code does it. Attentions end in PyTorch's default, so that the first steps unlearn what
 *   they add.
 */
export const adapterInitializations = ['exact', 'paper', 'released'] as const;
/** How weights that the file to begin with lacks are begun. */
export type AdapterInitialization = (typeof adapterInitializations)[number];

/** How an adapter begins. */
export interface InitializeOptions {
  /** Default `exact`. */
  readonly initialization?: AdapterInitialization;
  /** Of the random numbers. Default 0. */
  readonly seed?: number;
}

/** σ of the white noise in the last linear layer of each new feed-forward (§3.5). */
const noiseDeviation = 1e-4;

/**
 * @param shapes of the adapter to be trained: `describeAdapterWeights`
 * @param plus weights of an IP-Adapter+ of the same sizes, by the same names
 * @throws WeightsError where one that the old parts need is missing or of another shape, or one is left over
 */
export function initializeAdapter(
  shapes: ReadonlyMap<string, readonly number[]>,
  plus: ReadonlyMap<string, HostTensor>,
  {initialization = 'exact', seed = 0}: InitializeOptions = {},
): Map<string, HostTensor> {
  const surplus = [...plus.keys()].filter(name => !shapes.has(name));
  if (surplus.length > 0) {
    throw new WeightsError(
      `IP-Adapter+: expected weights of the adapter to be trained only, got ${surplus.join(', ')} besides. ` +
        'Is it an IP-Adapter+ of the same kind?',
    );
  }
  const generator = new TorchGenerator(seed);
  return new Map(
    [...shapes].map(([name, shape]) => {
      const known = plus.get(name);
      if (known === undefined && isNew(name))
        return [name, newWeight(name, shape, initialization, generator)];
      if (known === undefined || !sameShape(known.shape, shape)) {
        throw new WeightsError(
          `IP-Adapter+: ${name}: expected [${shape.join(', ')}], got ` +
            `${known === undefined ? 'nothing' : `[${known.shape.join(', ')}]`}. Give one of the same sizes.`,
        );
      }
      return [name, known];
    }),
  );
}

/** Parts that IP-Adapter+ has not: those for prompt and instruction. */
function isNew(name: string): boolean {
  return /^image_proj\.(proj_prompt_input|prompt_layers|proj_new_input|new_input_layers)\./.test(name);
}

function newWeight(
  name: string,
  shape: readonly number[],
  initialization: AdapterInitialization,
  generator: TorchGenerator,
): HostTensor {
  const endsAttention = name.endsWith('.to_out.weight');
  const endsFeedForward = /\.1\.3\.weight$/.test(name);
  if (endsFeedForward && initialization !== 'exact') {
    return {shape, data: generator.randn(shape).map(x => x * noiseDeviation)};
  }
  if (endsFeedForward || (endsAttention && initialization !== 'released')) {
    return {shape, data: new Float32Array(shape.reduce((a, b) => a * b))};
  }
  return defaultWeight(name, shape, generator);
}
