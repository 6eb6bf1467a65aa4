/**
 * Makes the pictures that an evaluation asks for and does not have yet, and keeps them with their scores.
 */
import {mkdir} from 'node:fs/promises';
import {dirname} from 'node:path';
import type {DatasetProblem} from '../datasets/dataset-sample.ts';
import type {RunOptions} from '../engine/compiled-function.ts';
import {ArgumentError} from '../errors.ts';
import {hashOf} from '../files/hash-of.ts';
import {writeImage} from '../images/write-image.ts';
import {readPictures, type SamplePictures} from '../training/watch/sample-pictures.ts';
import {adapterId} from './evaluated-adapters.ts';
import {type GenerationSettings, makePictures} from './make-pictures.ts';
import type {PictureRecord} from './picture-record.ts';
import type {PictureRequest} from './picture-requests.ts';
import {picturePath, type ResultLog} from './result-log.ts';
import {type Scorers, scorePictures} from './score-pictures.ts';
import {type Truth, truthOf} from './truth.ts';

export interface PictureMakerSetup {
  readonly folder: string;
  readonly log: ResultLog;
  readonly generation: GenerationSettings;
  /** All that pictures depend on beside their requests and `generation`, as a plain value. */
  readonly origin: unknown;
  readonly scorers: Scorers;
  readonly truth?: Truth | undefined;
}

export class PictureMaker {
  readonly #setup: PictureMakerSetup;
  readonly #problems = new Map<string, DatasetProblem>();

  constructor(setup: PictureMakerSetup) {
    this.#setup = setup;
  }

  /** Samples that could not be read; they have no pictures. */
  get problems(): DatasetProblem[] {
    return [...this.#problems.values()];
  }

  /**
   * Records of a batch of one adapter. As on CUDA a picture depends on its batch, in the last bits, a batch of which some are
   * missing is made again as a whole.
   *
   * @param isScored whether scores are taken at all
   * @throws ArgumentError where the folder has such a picture from other settings
   */
  async take(
    batch: readonly PictureRequest[],
    isScored: boolean,
    options: Pick<RunOptions, 'signal'>,
  ): Promise<readonly PictureRecord[]> {
    const known = batch.flatMap(request => this.#known(request) ?? []);
    if (known.length === batch.length) return known;
    const requests: PictureRequest[] = [];
    const originals: SamplePictures[] = [];
    for (const request of batch) {
      const pictures = await readPictures(request.sample, this.#problems);
      if (pictures === undefined) continue;
      requests.push(request);
      originals.push(pictures);
    }
    if (requests.length === known.length) return known;
    return this.#make(requests, originals, isScored, options);
  }

  #known(request: PictureRequest): PictureRecord | undefined {
    const {log, folder} = this.#setup;
    const record = log.get(request.id);
    if (record === undefined || record.settings === this.#settingsOf(request)) return record;
    throw new ArgumentError(
      `${folder}: expected pictures of these models and settings, or none, but ${request.id}.png is of others. ` +
        'Choose another folder, or go back to the settings in its evaluation.json.',
    );
  }

  async #make(
    requests: readonly PictureRequest[],
    originals: readonly SamplePictures[],
    isScored: boolean,
    options: Pick<RunOptions, 'signal'>,
  ): Promise<readonly PictureRecord[]> {
    const {folder, log, generation, scorers, truth: known} = this.#setup;
    const conditions = originals.map(({condition}) => condition);
    const pictures = await makePictures(requests, conditions, generation, options);
    const scores = isScored ? await scorePictures(scorers, requests, pictures, originals, options) : [];
    const records: PictureRecord[] = [];
    for (const [i, request] of requests.entries()) {
      const {id, adapter, sample, sampleIndex, instruction, seed} = request;
      const truth = isScored && known ? await truthOf(known, sample, pictures[i]!, options) : undefined;
      const record: PictureRecord = {
        id,
        settings: this.#settingsOf(request),
        adapter: adapter.label,
        ...(adapter.step !== undefined && {step: adapter.step}),
        task: sample.task,
        sample: sampleIndex,
        prompt: sample.prompt,
        instruction,
        seed,
        scores: scores[i] ?? {},
        ...(truth && {truth}),
      };
      const path = picturePath(folder, id);
      await mkdir(dirname(path), {recursive: true});
      const {scores: _, truth: __, settings: ___, ...parameters} = record;
      await writeImage(path, pictures[i]!, {parameters});
      records.push(record);
    }
    await log.add(records);
    return records;
  }

  #settingsOf({adapter, sample, instruction, seed}: PictureRequest): string {
    const {origin, generation, truth} = this.#setup;
    const {prompt, conditionPrompt = null, task} = sample;
    return hashOf([
      origin,
      generation,
      truth?.scorer.name ?? null,
      [adapterId(adapter), adapter.sha256],
      [task, prompt, conditionPrompt, instruction, seed],
    ]);
  }
}
