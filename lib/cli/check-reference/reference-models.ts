/**
 * The models of a reference folder, opened when a case first needs them.
 */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {FileError} from '../../errors.ts';
import type {ImageEncoder} from '../../pipelines/components/image-encoder.ts';
import type {TextEncoder} from '../../pipelines/components/text-encoder.ts';
import {type ComputeDType, computeDType} from '../../pipelines/compute-dtype.ts';
import {IPAdapterInstructPipeline} from '../../pipelines/ip-adapter-instruct-pipeline.ts';
import {loadImageEncoder, loadInstructionEncoder} from '../../pipelines/load-encoders.ts';
import {type DeviceSpec, openDevice} from '../../runtime/device.ts';
import type {ReferenceFolder} from './reference-case.ts';

/** What is loaded besides the base model. */
export interface PipelineParts {
  /** File name of the adapter. */
  readonly adapterFile?: string | undefined;
  readonly controlNets?: readonly string[] | undefined;
}

/** Where and in which dtype models run. */
export interface ReferenceSettings {
  /** Default `cpu`. */
  readonly device?: DeviceSpec | undefined;
  /** Default: the device's. */
  readonly dtype?: ComputeDType | undefined;
}

export class ReferenceModels {
  readonly folder: ReferenceFolder;
  readonly device: DeviceSpec;
  readonly dtype: ComputeDType;
  readonly #pipelines = new Map<string, Promise<IPAdapterInstructPipeline>>();

  /** @throws DeviceError, ArgumentError for a device that cannot be had, or a dtype that it has no kernels for */
  constructor(folder: ReferenceFolder, {device = 'cpu', dtype}: ReferenceSettings = {}) {
    this.folder = folder;
    this.device = device;
    this.dtype = computeDType(dtype, openDevice(device));
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
      device: this.device,
      dtype: this.dtype,
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
    return loadImageEncoder({engine, dtype: this.dtype}, this.path('image_encoder'));
  }

  async instructionEncoder(): Promise<TextEncoder> {
    const {engine, textEncoder} = (await this.pipeline()).models;
    const folder = this.path('instruction_encoder');
    return loadInstructionEncoder({engine, dtype: this.dtype}, folder, undefined, textEncoder.tokenizer);
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
