/**
 * What the models of a pipeline have in common: an engine, weights, a compute dtype.
 */
import type {FunctionOptions} from '../../engine/compiled-function.ts';
import type {Engine} from '../../engine/engine.ts';
import {type WeightSource, Weights} from '../../nn/weights.ts';
import type {ComputeDType} from '../compute-dtype.ts';

/** Of functions that run once a picture, and not once a step. */
export const oncePerPicture: FunctionOptions = {streamsWeights: true};

/** Where and how a model runs. */
export interface ComponentSettings {
  readonly engine: Engine;
  readonly dtype: ComputeDType;
}

export abstract class Component {
  readonly engine: Engine;
  readonly dtype: ComputeDType;
  /** As its functions are traced with. */
  readonly weights: Weights;

  constructor({engine, dtype}: ComponentSettings, source: WeightSource) {
    this.engine = engine;
    this.dtype = dtype;
    this.weights = new Weights(source);
  }

  /** Its name in scopes, profiles and messages. */
  get label(): string {
    return this.weights.source.label;
  }
}
