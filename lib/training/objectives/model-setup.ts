/**
 * What the training of every whole model is given.
 */
import type {Dataset} from '../../datasets/dataset.ts';
import type {Engine} from '../../engine/engine.ts';
import type {ComputeDType} from '../../pipelines/compute-dtype.ts';
import type {ModelTrainingSettings} from '../trainer-options.ts';

export interface ModelSetup {
  readonly engine: Engine;
  /** Of products and activations; trained weights are float32. */
  readonly dtype: ComputeDType;
  readonly dataset: Dataset;
  readonly training: ModelTrainingSettings;
}

/** A `config.json`, as diffusers and transformers write it. */
export type ModelConfigJson = Readonly<Record<string, unknown>>;

/** A file's text. */
export function configText(config: ModelConfigJson): string {
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
