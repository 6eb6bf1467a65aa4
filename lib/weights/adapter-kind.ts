import {invalidArgument, WeightsError} from '../errors.ts';
import {formatShape, type TensorMap} from './stored-tensor.ts';
import {refuseOtherAdapter} from './unsupported-adapter.ts';

/** What all adapters have. */
interface AdapterBase {
  /** Channels of the image features that the projection takes. */
  readonly imageWidth: number;
  /** Channels of the tokens that it gives: the UNet's cross-attention width. */
  readonly crossAttentionDim: number;
  /** How many cross-attentions of the UNet the adapter extends. */
  readonly attentionLayers: number;
}

/** IP-Adapter: one linear layer on the pooled image embedding. */
export interface ClassicAdapter extends AdapterBase {
  readonly kind: 'classic';
  readonly numTokens: number;
}

/** Full-face: a two-layer perceptron on each of the encoder's hidden states. */
export interface FullFaceAdapter extends AdapterBase {
  readonly kind: 'full-face';
  readonly hiddenWidth: number;
}

/** IP-Adapter+ and both forms of IPAdapter-Instruct: a transformer with learnt queries. */
export interface ResamplerAdapter extends AdapterBase {
  /**
   * `instruct` is the released form (attends to image, prompt, instruction), `instruct-paper` that of the
   * paper's figure 3 (image, instruction).
   */
  readonly kind: 'plus' | 'instruct' | 'instruct-paper';
  readonly numTokens: number;
  readonly dim: number;
  readonly heads: number;
  readonly dimHead: number;
  readonly depth: number;
  /** Hidden width of the feed-forward layers after the image attention, in units of `dim`. */
  readonly feedForwardMult: number;
  /** Of the instruct forms: the layers that attend to text. */
  readonly instruction?: {
    /** Channels of the text encoder's tokens. */
    readonly textWidth: number;
    readonly feedForwardMult: number;
  };
}

/** What an adapter's tensors say of it: its kind and its widths. */
export type AdapterDescription = ClassicAdapter | FullFaceAdapter | ResamplerAdapter;

export interface DetectAdapterOptions {
  /**
   * Attention heads of a resampler. No file says; without this, heads are 64 wide, as in every published
   * adapter.
   */
  readonly heads?: number;
  /** Names the adapter in messages. */
  readonly what?: string;
}

/** Axes of tensors, with one way of saying that they are not as they should be. */
class Shapes {
  readonly tensors: TensorMap;
  private readonly what: string;

  constructor(tensors: TensorMap, what: string) {
    this.tensors = tensors;
    this.what = what;
  }

  /** The shape of `image_proj.<name>`, which must have `rank` axes. */
  of(name: string, rank: number): number[] {
    const shape = this.tensors.get(`image_proj.${name}`)?.shape;
    if (shape?.length === rank) return [...shape];
    const got = shape ? `shape ${formatShape(shape)}` : 'none';
    throw this.fault(`a tensor 'image_proj.${name}' with ${rank} axes`, got);
  }

  has(name: string): boolean {
    return this.tensors.has(`image_proj.${name}`);
  }

  /** A quotient that must be whole. */
  ratio(dividend: number, divisor: number, meaning: string): number {
    if (dividend > 0 && dividend % divisor === 0) return dividend / divisor;
    throw this.fault(`${meaning}: a multiple of ${divisor}`, String(dividend));
  }

  fault(expected: string, got: string): WeightsError {
    return new WeightsError(
      `${this.what}: expected ${expected}; got ${got}. The adapter file is incomplete or damaged.`,
    );
  }
}

/**
 * Tells which kind of adapter a file holds, from the names and shapes of its tensors (as
 * `canonicalAdapterTensors` gives them): file names say nothing reliable, and an instruct adapter taken for
 * an IP-Adapter+ would silently ignore its instruction.
 * @throws WeightsError where it is a kind that this package does not run, naming it, or is incomplete.
 */
export function detectAdapterKind(
  tensors: TensorMap,
  options: DetectAdapterOptions = {},
): AdapterDescription {
  const {what = 'adapter', heads} = options;
  if (heads !== undefined && !(Number.isInteger(heads) && heads > 0)) {
    throw invalidArgument('heads', 'a positive integer', heads);
  }
  const shapes = new Shapes(tensors, what);
  const base = describeAttention(shapes);
  refuseOtherAdapter(tensors, base.crossAttentionDim, what);
  if (shapes.has('proj.weight')) return describeClassic(shapes, base);
  if (shapes.has('proj.3.weight')) return describeFullFace(shapes, base);
  if (shapes.has('latents')) return describeResampler(shapes, base, heads);
  throw shapes.fault(
    "'image_proj.proj.weight', 'image_proj.proj.3.weight' or 'image_proj.latents'",
    'none of them',
  );
}

type AttentionPart = Omit<AdapterBase, 'imageWidth'>;

function describeAttention(shapes: Shapes): AttentionPart {
  const keys = [...shapes.tensors].filter(([name]) => /^ip_adapter\.\d+\.to_k_ip\.weight$/.test(name));
  const crossAttentionDim = keys[0]?.[1].shape[1];
  if (crossAttentionDim === undefined) throw shapes.fault("matrices 'ip_adapter.<n>.to_k_ip.weight'", 'none');
  for (const [name, {shape}] of keys) {
    const values = shapes.tensors.get(name.replace('to_k_ip', 'to_v_ip'))?.shape;
    if (
      shape.length !== 2 ||
      shape[1] !== crossAttentionDim ||
      !values ||
      formatShape(values) !== formatShape(shape)
    ) {
      const expected = `keys and values of one shape [channels, ${crossAttentionDim}] in every layer`;
      throw shapes.fault(
        expected,
        `'${name}' ${formatShape(shape)}${values ? ` and ${formatShape(values)}` : ' alone'}`,
      );
    }
  }
  return {crossAttentionDim, attentionLayers: keys.length};
}

function describeClassic(shapes: Shapes, base: AttentionPart): ClassicAdapter {
  const [out, imageWidth] = shapes.of('proj.weight', 2) as [number, number];
  const numTokens = shapes.ratio(out, base.crossAttentionDim, 'rows of image_proj.proj.weight');
  return {kind: 'classic', imageWidth, numTokens, ...base};
}

function describeFullFace(shapes: Shapes, base: AttentionPart): FullFaceAdapter {
  const [hiddenWidth, imageWidth] = shapes.of('proj.0.weight', 2) as [number, number];
  return {kind: 'full-face', imageWidth, hiddenWidth, ...base};
}

function describeResampler(shapes: Shapes, base: AttentionPart, heads: number | undefined): ResamplerAdapter {
  const [, numTokens, dim] = shapes.of('latents', 3) as [number, number, number];
  const [, imageWidth] = shapes.of('proj_in.weight', 2) as [number, number];
  const [innerDim] = shapes.of('layers.0.0.to_q.weight', 2) as [number, number];
  const common = {
    imageWidth,
    numTokens,
    dim,
    ...splitHeads(shapes, innerDim, heads),
    depth: countLayers(shapes, 'layers'),
    feedForwardMult: feedForwardMult(shapes, 'layers', dim),
    ...base,
  };
  if (!shapes.has('new_input_layers.0.0.to_q.weight')) return {kind: 'plus', ...common};

  const kind = shapes.has('prompt_layers.0.0.to_q.weight') ? 'instruct' : 'instruct-paper';
  const [, textWidth] = shapes.of('proj_new_input.weight', 2) as [number, number];
  for (const stream of kind === 'instruct' ? ['prompt_layers', 'new_input_layers'] : ['new_input_layers']) {
    const depth = countLayers(shapes, stream);
    if (depth !== common.depth) {
      throw shapes.fault(`${common.depth} ${stream}, one for each of layers`, String(depth));
    }
  }
  const instruction = {textWidth, feedForwardMult: feedForwardMult(shapes, 'new_input_layers', dim)};
  return {kind, ...common, instruction};
}

const PUBLISHED_DIM_HEAD = 64;

function splitHeads(shapes: Shapes, innerDim: number, heads?: number): {heads: number; dimHead: number} {
  if (heads !== undefined) {
    return {
      heads,
      dimHead: shapes.ratio(innerDim, heads, `width of the resampler's attention, with ${heads} heads`),
    };
  }
  const count = innerDim / PUBLISHED_DIM_HEAD;
  if (Number.isInteger(count)) return {heads: count, dimHead: PUBLISHED_DIM_HEAD};
  throw shapes.fault(
    `a resampler of heads that are ${PUBLISHED_DIM_HEAD} wide, or the number of heads as an option`,
    `a width of ${innerDim} and no such option`,
  );
}

function countLayers(shapes: Shapes, stream: string): number {
  let count = 0;
  while (shapes.has(`${stream}.${count}.0.to_q.weight`)) count++;
  return count;
}

function feedForwardMult(shapes: Shapes, stream: string, dim: number): number {
  const name = `${stream}.0.1.1.weight`;
  return shapes.ratio(shapes.of(name, 2)[0]!, dim, `rows of image_proj.${name}`);
}
