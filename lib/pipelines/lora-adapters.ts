/**
 * The LoRAs of a pipeline: which are loaded, and the models with those that are active in their weights.
 */
import {FileWeights} from '../engine/file-weights.ts';
import {LoraWeights} from '../engine/lora-weights.ts';
import {ArgumentError, invalidArgument} from '../errors.ts';
import {describeClipTextWeights} from '../models/clip-text.ts';
import {describeUNetWeights} from '../models/unet.ts';
import type {WeightSource} from '../nn/weights.ts';
import {type Lora, readLora} from '../weights/lora-file.ts';
import type {LoraModel} from '../weights/lora-names.ts';
import {openWeights} from '../weights/open-weights.ts';
import type {Component} from './components/component.ts';
import type {PipelineModels} from './pipeline-models.ts';

/** Under which name, and how strongly, a LoRA is added. */
export interface LoraOptions {
  /** For `setAdapters` and `deleteAdapters`. Default: `default_0`, `default_1`, … */
  readonly adapterName?: string | undefined;
  /** What the LoRA counts, in units of what it was trained with. Default 1. */
  readonly weight?: number | undefined;
}

/** A LoRA to be loaded. */
export interface LoraFile extends LoraOptions {
  /** In the format of diffusers (PEFT) or kohya, `.safetensors` or PyTorch's. */
  readonly path: string;
}

interface Adapter {
  readonly factors: WeightSource;
  readonly layers: Lora['layers'];
}

/** A model whose weights may be others. */
interface Changeable<Model> extends Component {
  withWeights(source: WeightSource): Model;
}

export class LoraAdapters {
  readonly #base: PipelineModels;
  readonly #loaded = new Map<string, Adapter>();
  /** Weights of the active ones. */
  #active: ReadonlyMap<string, number> = new Map();
  #models: PipelineModels;

  /** @param base the models as they were loaded */
  constructor(base: PipelineModels) {
    this.#base = base;
    this.#models = base;
  }

  /**
   * The models with the active LoRAs. Instructions are encoded by the text encoder as it was loaded, since the adapter
   * was trained with that.
   */
  get models(): PipelineModels {
    return this.#models;
  }

  get names(): string[] {
    return [...this.#loaded.keys()];
  }

  get active(): string[] {
    return [...this.#active.keys()];
  }

  /** Loads one more, which is active at once. @throws FileError, WeightsError, ArgumentError */
  async load(path: string, {adapterName = this.#freeName(), weight = 1}: LoraOptions): Promise<void> {
    if (this.#loaded.has(adapterName)) {
      throw new ArgumentError(
        `adapterName: expected another than those loaded (${this.names.join(', ')}) but received '${adapterName}'. ` +
          'Delete that adapter first.',
      );
    }
    checkWeight(weight);
    const {denoiser, textEncoder} = this.#base;
    const {config} = denoiser;
    const targets = {
      unet: describeUNetWeights(config),
      text_encoder: describeClipTextWeights(textEncoder.config),
    };
    const {tensors, layers} = await readLora(await openWeights(path), targets, config.crossAttentionDim);
    this.#loaded.set(adapterName, {factors: new FileWeights(`lora ${adapterName}`, tensors), layers});
    await this.#activate(new Map([...this.#active, [adapterName, weight]]));
  }

  /** Makes these active, and no others. @throws ArgumentError where one is not loaded */
  async set(names: readonly string[], weights: readonly number[]): Promise<void> {
    this.#expectLoaded(names);
    weights.forEach(checkWeight);
    if (weights.length !== names.length) {
      throw invalidArgument('adapterWeights', `one for each of ${names.length} adapters`, weights);
    }
    await this.#activate(new Map(names.map((name, index) => [name, weights[index]!])));
  }

  /** @throws ArgumentError where one is not loaded */
  async delete(names: readonly string[]): Promise<void> {
    this.#expectLoaded(names);
    await this.#activate(new Map([...this.#active].filter(([name]) => !names.includes(name))));
    for (const name of names) this.#loaded.delete(name);
  }

  #freeName(): string {
    let number = 0;
    while (this.#loaded.has(`default_${number}`)) number++;
    return `default_${number}`;
  }

  #expectLoaded(names: readonly string[]): void {
    const unknown = names.filter(name => !this.#loaded.has(name));
    if (unknown.length === 0) return;
    throw new ArgumentError(
      `adapterNames: expected names of loaded LoRAs (${this.names.join(', ') || 'there are none'}) but received ` +
        `${unknown.join(', ')}.`,
    );
  }

  /** Weights that were prepared for other updates of the same layers are freed. */
  async #activate(active: ReadonlyMap<string, number>): Promise<void> {
    const {denoiser, textEncoder} = this.#base;
    const before = this.#models;
    this.#active = active;
    this.#models = {
      ...this.#base,
      denoiser: this.#updated('unet', denoiser),
      textEncoder: this.#updated('text_encoder', textEncoder),
    };
    const changed = [before, this.#models]
      .flatMap(models => [models.denoiser.weights.source, models.textEncoder.weights.source])
      .filter(source => source instanceof LoraWeights);
    await this.#base.engine.weights.release(weight => changed.some(source => source.changes(weight)));
  }

  #updated<Model extends Changeable<Model>>(name: LoraModel, model: Model): Model {
    const updates = [...this.#active].flatMap(([adapter, weight]) => {
      const {factors, layers} = this.#loaded.get(adapter)!;
      return weight === 0 || layers[name].size === 0 ? [] : [{factors, layers: layers[name], weight}];
    });
    return updates.length === 0 ? model : model.withWeights(new LoraWeights(model.weights.source, updates));
  }
}

function checkWeight(weight: number): void {
  if (!Number.isFinite(weight)) throw invalidArgument('weight', 'a finite number', weight);
}
