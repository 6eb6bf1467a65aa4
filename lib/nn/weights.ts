/**
 * Weights as layers see them: a named tensor tree, walked with `at`. What stands behind it (a file, random numbers,
 * a list that is being collected) is the source's business.
 */
import {InternalError} from '../errors.ts';
import {sameShape} from '../graph/ops/check.ts';
import type {ParameterSource, Tensor} from '../graph/tensor.ts';
import {parameter, record} from '../graph/trace.ts';

/** Gives the symbolic tensor of a weight; called while tracing. */
export interface WeightSource extends ParameterSource {
  tensor(name: string, shape: readonly number[]): Tensor;
  /** Tells these weights from others of the same label; only where they cannot change. */
  identity?(): Promise<string>;
}

/** A place in a source's tree of names; `at('down_blocks', 0)` is the place below. */
export class Weights {
  readonly source: WeightSource;
  readonly prefix: string;

  constructor(source: WeightSource, prefix = '') {
    this.source = source;
    this.prefix = prefix;
  }

  at(...names: readonly (string | number)[]): Weights {
    return new Weights(this.source, [this.prefix, ...names].filter(part => part !== '').join('.'));
  }

  /** For the scope of nodes: the source's label, then the prefix. */
  get path(): string {
    return this.prefix === '' ? this.source.label : `${this.source.label}.${this.prefix}`;
  }

  /** The weight `name` below this place, of the shape that the layer expects. */
  tensor(name: string, shape: readonly number[]): Tensor {
    return this.source.tensor(this.prefix === '' ? name : `${this.prefix}.${name}`, shape);
  }
}

/**
 * The names and shapes that a model asks for, found by tracing it: there is no second list to keep.
 *
 * @param trace calls the model's functions with the given weights, inside of any `trace`
 */
export function collectWeightShapes(
  label: string,
  trace: (weights: Weights) => void,
): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  const source: WeightSource = {
    label,
    tensor(name, shape) {
      const known = shapes.get(name);
      if (known !== undefined && !sameShape(known, shape)) {
        throw new InternalError(
          `${label}.${name} is asked for as [${known.join()}] and as [${shape.join()}].`,
        );
      }
      shapes.set(name, shape);
      return parameter(source, name, {shape, dtype: 'float32'});
    },
  };
  record(() => trace(new Weights(source)));
  return shapes;
}
