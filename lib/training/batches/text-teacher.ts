/**
 * The frozen base model, told of a target in words, as the teacher of an adapter that is to tell it by a picture
 * (distillation as in Hinton et al. 2015, from one condition into another).
 *
 * The true target of one noisy sample is mostly what nobody can foresee. What the base predicts with a prompt that tells
 * all is free of that, so that fewer samples say as much.
 */
import type {CompiledFunction, RunOptions} from '../../engine/compiled-function.ts';
import type {Tensor} from '../../graph/tensor.ts';
import type {ComputeDType} from '../../pipelines/compute-dtype.ts';
import {download, type HostRows, type HostTensor} from '../../pipelines/host-tensor.ts';
import type {PipelineModels} from '../../pipelines/pipeline-models.ts';
import {linearCombination} from '../../schedulers/linear-combination.ts';
import {withBatchOn} from '../device-batch.ts';
import {type UNetConditions, unetPrediction} from '../unet-loss.ts';
import type {NoisyLatents} from './noisy-latents.ts';

/** Of a run. */
interface TeacherOptions {
  readonly models: PipelineModels;
  readonly dtype: ComputeDType;
  readonly textTeacher?: number | undefined;
}

export class TextTeacher {
  readonly #engine: PipelineModels['engine'];
  readonly #share: number;
  readonly #predict: CompiledFunction<UNetConditions, Tensor>;

  /** That of a run, where it wants one. */
  static of({models, dtype, textTeacher}: TeacherOptions): TextTeacher | undefined {
    return textTeacher === undefined ? undefined : new TextTeacher(models, dtype, textTeacher);
  }

  /** @param share of the target that the base's prediction makes up, from 0 to 1 */
  constructor({engine, denoiser}: PipelineModels, dtype: ComputeDType, share: number) {
    const {weights, config} = denoiser;
    this.#engine = engine;
    this.#share = share;
    this.#predict = engine.compile('teacher', (conditions: UNetConditions) =>
      unetPrediction(weights, config, conditions, dtype),
    );
  }

  /**
   * What is to be predicted of noisy latents, with the base's prediction mixed into rows that are taught. A squared error
   * from the mixture has the gradient of both errors, mixed alike.
   *
   * @param encoderHiddenStates [B, M, crossAttentionDim]: of prompts that tell what the latents show
   * @param isTaught by row
   */
  async targets(
    {noisy, target, timesteps}: NoisyLatents,
    encoderHiddenStates: HostRows,
    isTaught: readonly boolean[],
    options: RunOptions,
  ): Promise<HostTensor> {
    const conditions = {noisy, timesteps, encoderHiddenStates};
    const predicted = await withBatchOn<UNetConditions, HostTensor>(
      this.#engine.device,
      conditions,
      async on => download(await this.#predict.run(on, options)),
    );
    const data = target.data.slice();
    const size = data.length / isTaught.length;
    for (const [row, taught] of isTaught.entries()) {
      if (taught) data.set(this.#mix(rowOf(target, row, size), rowOf(predicted, row, size)), row * size);
    }
    return {...target, data};
  }
  #mix(target: Float32Array, predicted: Float32Array): Float32Array {
    return linearCombination([1 - this.#share, target], [this.#share, predicted]);
  }
}

function rowOf({data}: HostTensor, row: number, size: number): Float32Array {
  return data.subarray(row * size, (row + 1) * size);
}
