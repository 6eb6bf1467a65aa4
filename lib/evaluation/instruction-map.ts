/**
 * Where instructions lie, as the adapter reads them (Rowles et al. 2024, fig. 4).
 */
import type {Dataset} from '../datasets/dataset.ts';
import type {RunOptions} from '../engine/compiled-function.ts';
import type {InstructionEncoder} from '../pipelines/components/instruction-encoder.ts';
import {TorchGenerator} from '../schedulers/torch-generator.ts';
import {mean} from './confidence.ts';
import {type Point, tsne} from './t-sne.ts';

export interface InstructionMapOptions {
  readonly instructionsPerTask: number;
  readonly perplexity: number;
  readonly seed: number;
  /** Drawn among the others. */
  readonly fixedInstructions: Readonly<Record<string, string>>;
}

export interface MappedInstruction {
  readonly task: string;
  readonly instruction: string;
  readonly isFixed: boolean;
  readonly point: Point;
}

export interface InstructionMap {
  readonly instructions: readonly MappedInstruction[];
  /** Perplexity of the map: the one asked for, or as high as so few instructions allow. */
  readonly perplexity: number;
  /** Share of the pools' instructions whose nearest neighbour, by cosine of the embeddings, is of their task. */
  readonly neighbourAccuracy: number;
}

/** Encoded at a time. */
const batchSize = 16;

/** Undefined where no adapter reads instructions, there are fewer than five, or they are of one task alone. */
export async function mapInstructions(
  encoder: InstructionEncoder | undefined,
  {instructions: pools}: Dataset,
  {instructionsPerTask, perplexity, seed, fixedInstructions}: InstructionMapOptions,
  options: Pick<RunOptions, 'signal'> = {},
): Promise<InstructionMap | undefined> {
  const chosen = [...pools].flatMap(([task, pool]) => {
    const order = Array.from(new TorchGenerator(seed).randperm(pool.length));
    const drawn = order
      .slice(0, instructionsPerTask)
      .map(at => ({task, instruction: pool[at]!, isFixed: false}));
    const fixed = fixedInstructions[task];
    return fixed === undefined ? drawn : [...drawn, {task, instruction: fixed, isFixed: true}];
  });
  const isMapped = chosen.length >= 5 && new Set(chosen.map(({task}) => task)).size > 1;
  if (encoder === undefined || !isMapped) return undefined;
  const embeddings = await embedInstructions(
    encoder,
    chosen.map(({instruction}) => instruction),
    options,
  );
  // Each point has its own neighbours; with more than a third of all, tasks could not come apart.
  const allowed = Math.min(perplexity, (chosen.length - 1) / 3);
  const points = await tsne(embeddings, {perplexity: allowed, seed, ...options});
  return {
    instructions: chosen.map((instruction, i) => ({...instruction, point: points[i]!})),
    perplexity: allowed,
    neighbourAccuracy: neighbourAccuracy(
      chosen.flatMap(({task, isFixed}, i) => (isFixed ? [] : [{task, embedding: embeddings[i]!}])),
    ),
  };
}

/**
 * One vector of length 1 for each instruction: the pooled embedding where the adapter reads that; else the mean of its
 * tokens' states, without those of the padding.
 */
export async function embedInstructions(
  {encoder, form}: InstructionEncoder,
  instructions: readonly string[],
  options: Pick<RunOptions, 'signal'>,
): Promise<Float32Array[]> {
  const embeddings: Float32Array[] = [];
  for (let first = 0; first < instructions.length; first += batchSize) {
    const batch = instructions.slice(first, first + batchSize);
    const {shape, data} =
      form === 'pooled' ? await encoder.embed(batch, options) : await encoder.encode(batch, 0, options);
    const [, tokens, channels] = shape as [number, number, number];
    for (const [row, instruction] of batch.entries()) {
      const {tokenCount} = encoder.tokenizer.encode(instruction);
      // With both markers.
      const own = form === 'pooled' ? 1 : Math.min(tokenCount + 2, tokens);
      const begin = row * tokens * channels;
      embeddings.push(unitMean(data.subarray(begin, begin + own * channels), channels));
    }
  }
  return embeddings;
}

/** The mean of rows, brought to length 1. */
function unitMean(rows: Float32Array, channels: number): Float32Array {
  const sum = new Float32Array(channels);
  for (const [i, value] of rows.entries()) sum[i % channels] = sum[i % channels]! + value;
  const length = Math.hypot(...sum);
  return sum.map(value => value / length);
}

function neighbourAccuracy(
  items: readonly {readonly task: string; readonly embedding: Float32Array}[],
): number {
  const isRight = items.map(({task, embedding}, i) => {
    let [nearest, best] = ['', Number.NEGATIVE_INFINITY];
    for (const [j, other] of items.entries()) {
      const similarity = i === j ? Number.NEGATIVE_INFINITY : dot(embedding, other.embedding);
      if (similarity > best) [nearest, best] = [other.task, similarity];
    }
    return nearest === task ? 1 : 0;
  });
  return mean(isRight);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
