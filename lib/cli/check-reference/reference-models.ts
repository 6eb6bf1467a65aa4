/**
 * The models of a reference folder, opened when a case first needs them.
 */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {FileError} from '../../errors.ts';
import type {ImageEncoder} from '../../pipelines/components/image-encoder.ts';
import type {TextEncoder} from '../../pipelines/components/text-encoder.ts';
import {IPAdapterInstructPipeline} from '../../pipelines/ip-adapter-instruct-pipeline.ts';
import {loadImageEncoder, loadInstructionEncoder} from '../../pipelines/load-models.ts';
import type {ReferenceFolder} from './reference-case.ts';

/** What is loaded besides the base model. */
export interface PipelineParts {
  /** File name of the adapter. */
  readonly adapterFile?: string | undefined;
  readonly controlNets?: readonly string[] | undefined;
}

export class ReferenceModels {
  readonly folder: ReferenceFolder;
  readonly #pipelines = new Map<string, Promise<IPAdapterInstructPipeline>>();

  constructor(folder: ReferenceFolder) {
    this.folder = folder;
  }

  /** The path of something in the folder. */
  path(...parts: string[]): string {
    return join(this.folder.path, ...parts);
  }

  /** The pipeline with an adapter and ControlNets, opened once. */
  pipeline({adapterFile, controlNets = []}: PipelineParts = {}): Promise<IPAdapterInstructPipeline> {
    const key = JSON.stringify([adapterFile, controlNets]);
    const known = this.#pipelines.get(key);
    if (known !== undefined) return known;
    const {adapterHeads} = this.folder;
    const opened = IPAdapterInstructPipeline.load({
      model: this.path('model'),
      controlNets: controlNets.map(name => this.path(name)),
      device: 'cpu',
      ...(adapterFile !== undefined && {
        adapter: this.path(adapterFile),
        imageEncoder: this.path('image_encoder'),
      }),
      ...(adapterHeads !== undefined && {adapterHeads}),
    });
    this.#pipelines.set(key, opened);
    return opened;
  }

  async imageEncoder(): Promise<ImageEncoder> {
    const {engine} = (await this.pipeline()).models;
    return loadImageEncoder({engine, dtype: 'float32'}, this.path('image_encoder'));
  }

  async instructionEncoder(): Promise<TextEncoder> {
    const {engine, textEncoder} = (await this.pipeline()).models;
    const folder = this.path('instruction_encoder');
    return loadInstructionEncoder({engine, dtype: 'float32'}, folder, undefined, textEncoder.tokenizer);
  }

  /**
   * The files of an adapter, one for each format that there is.
   *
   * @throws FileError where there is none
   */
  adapterFiles(name: string): string[] {
    const files = ['.safetensors', '.bin'].map(ending => name + ending);
    const present = files.filter(file => existsSync(this.path(file)));
    if (present.length > 0) return present;
    throw new FileError(`${this.folder.path}: expected ${files.join(' or ')}, got neither.`);
  }

  async dispose(): Promise<void> {
    for (const opened of await Promise.allSettled(this.#pipelines.values())) {
      if (opened.status === 'fulfilled') await opened.value.dispose();
    }
  }
}
