/**
 * From samples to what an adapter's training step reads: noisy latents, CLIP features, hidden states of texts.
 */
import {ArgumentError} from '../../errors.ts';
import type {AdapterModels} from '../../pipelines/conditioning.ts';
import type {HostRows, HostTensor} from '../../pipelines/host-tensor.ts';
import type {PipelineModels} from '../../pipelines/pipeline-models.ts';
import type {PreparedSample} from './adapter-samples.ts';
import {encodeConditions} from './encode-pictures.ts';
import {encodePrompts} from './encode-prompts.ts';
import {type NoiseOptions, type NoisyLatents, noisyLatents} from './noisy-latents.ts';
import type {TextCache} from './text-cache.ts';
import type {TextTeacher} from './text-teacher.ts';

export interface EncodeOptions extends NoiseOptions {
  /** Keeps texts from batch to batch. */
  readonly texts: TextCache;
  readonly teacher?: TextTeacher | undefined;
}

export interface EncodedBatch extends NoisyLatents {
  readonly encoderHiddenStates: HostRows;
  readonly condition: {
    readonly image: HostRows;
    readonly prompt?: HostRows;
    readonly instruction?: HostRows;
  };
  readonly imageScales: HostTensor;
}

/** @throws ArgumentError where the models have no adapter */
export function adapterOf({adapter}: PipelineModels): AdapterModels {
  if (adapter !== undefined) return adapter;
  throw new ArgumentError(
    'models: expected an adapter of the kind that is trained, with its image encoder, got none. Load them for training.',
  );
}

/** @throws ArgumentError where the models have no adapter, FileError where the cache cannot be written */
export async function encodeBatch(
  models: PipelineModels,
  samples: readonly PreparedSample[],
  options: EncodeOptions,
): Promise<EncodedBatch> {
  const {texts, teacher} = options;
  const adapter = adapterOf(models);
  const prompts = await encodePrompts(models.textEncoder, samples, options);
  const {readsPrompt, readsInstruction, layers} = adapter.adapter;
  // A dropped image goes with its instruction, as in unconditional tokens.
  const instructionOf = ({choices}: PreparedSample) => (choices.keepsImage ? choices.instruction : '');
  const count = samples.length;
  const latents = await noisyLatents(models.vae, samples, options);
  return {
    ...latents,
    ...(teacher !== undefined && {
      target: await teacher.targets(
        latents,
        await encodePrompts(models.textEncoder, samples.map(asTaught), options),
        samples.map(({teacherPrompt}) => teacherPrompt !== undefined),
        options,
      ),
    }),
    encoderHiddenStates: prompts,
    condition: {
      image: await encodeConditions(adapter, samples, options),
      ...(readsPrompt && {prompt: prompts}),
      ...(readsInstruction && {
        instruction: await texts.encode('instruction', samples.map(instructionOf), missing =>
          adapter.instructionEncoder.encode(missing, options),
        ),
      }),
    },
    imageScales: {shape: [layers.length, count], data: new Float32Array(layers.length * count).fill(1)},
  };
}

/** The sample with what its teacher is told, whatever was dropped. */
function asTaught(sample: PreparedSample): PreparedSample {
  return {...sample, prompt: sample.teacherPrompt ?? '', choices: {...sample.choices, keepsText: true}};
}
