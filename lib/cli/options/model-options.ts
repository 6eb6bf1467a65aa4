/**
 * The options that say which model is used: shared by all commands that run one.
 */
import {type Command, Option} from '@commander-js/extra-typings';
import {ArgumentError} from '../../errors.ts';
import {newAdapterKinds} from '../../pipelines/describe-new-adapter.ts';
import {IPAdapterInstructPipeline} from '../../pipelines/ip-adapter-instruct-pipeline.ts';
import type {LoadOptions, RandomOptions, RunSettings} from '../../pipelines/load-options.ts';
import type {LoraFile} from '../../pipelines/lora-adapters.ts';
import {collect, collectLoras, collectNamedFiles, defined, parseNumber} from './parse-values.ts';

export interface ModelFlags {
  readonly model?: string | undefined;
  readonly adapter?: string | undefined;
  readonly namedAdapter?: Readonly<Record<string, string>> | undefined;
  readonly imageEncoder?: string | undefined;
  readonly instructionEncoder?: string | undefined;
  readonly controlnet?: readonly string[] | undefined;
  readonly lora?: readonly LoraFile[] | undefined;
  readonly vae?: string | undefined;
  readonly tokenizer?: string | undefined;
  readonly adapterHeads?: number | undefined;
  readonly random?: RandomOptions['size'] | undefined;
  readonly randomAdapter?: RandomOptions['adapter'] | undefined;
  readonly dtype?: LoadOptions['dtype'] | undefined;
  readonly device?: LoadOptions['device'] | undefined;
  readonly threads?: number | undefined;
}

/** Adds the options of {@link ModelFlags} to a command. */
export function addModelOptions<Args extends unknown[], Flags extends Record<string, unknown>>(
  command: Command<Args, Flags>,
) {
  const models = command
    .option('--model <path>', 'diffusers folder, or single-file Stable Diffusion 1.5 checkpoint')
    .option('--adapter <file>', 'IP-Adapter of any kind, .safetensors or .bin')
    .option(
      '--named-adapter <name=file>',
      'further IP-Adapter, for --conditions; may be given several times',
      collectNamedFiles,
    )
    .option('--image-encoder <folder>', 'CLIP vision model with projection; needed with adapters')
    .option(
      '--instruction-encoder <folder>',
      "CLIP text model for instructions and content prompts (default: the model's own)",
    )
    .option('--controlnet <folder>', 'ControlNet; may be given several times', collect)
    .option('--lora <file[:weight]>', 'LoRA of diffusers or kohya; may be given several times', collectLoras)
    .option('--vae <path>', "VAE in place of the model's own")
    .option('--tokenizer <folder>', 'folder with vocab.json and merges.txt')
    .option('--adapter-heads <n>', "attention heads of the adapter's resampler", parseNumber)
    .addOption(
      new Option('--random <size>', 'random weights instead of files; pictures are noise').choices([
        'tiny',
        'sd15',
      ] as const),
    )
    .addOption(
      new Option('--random-adapter <kind>', 'kind of the random adapter (default: instruct)').choices(
        newAdapterKinds,
      ),
    );
  return addRunOptions(models);
}

/** Adds the options that say how models run. */
export function addRunOptions<Args extends unknown[], Flags extends Record<string, unknown>>(
  command: Command<Args, Flags>,
) {
  return command
    .addOption(
      new Option(
        '--dtype <dtype>',
        'of activations and weights; float16 on cuda (default: float32, on cuda bfloat16)',
      ).choices(['float32', 'bfloat16', 'float16'] as const),
    )
    .option('--device <device>', 'auto, cpu, cuda or cuda:N (default: auto)', parseDevice)
    .option('--threads <n>', 'threads per device (default: one per core)', parseNumber);
}

/** Opening a device checks its name. */
function parseDevice(text: string): NonNullable<LoadOptions['device']> {
  return text as NonNullable<LoadOptions['device']>;
}

/** Takes effect when the first device is opened: the runtime reads it then. */
export function useThreads({threads}: Pick<ModelFlags, 'threads'>): void {
  if (threads !== undefined) process.env['IPAI_NUM_THREADS'] = String(threads);
}

/** Whether the options name a model, right or wrong. */
export function namesModel({model, random}: ModelFlags): boolean {
  return (model ?? random) !== undefined;
}

/** The options on which pictures depend, beyond the last bits. */
export function modelNames(flags: ModelFlags) {
  const {model, adapter, namedAdapter, imageEncoder, instructionEncoder, controlnet, lora} = flags;
  const {vae, tokenizer, adapterHeads, random, randomAdapter, dtype} = flags;
  const adapters = {adapter, namedAdapter, imageEncoder, instructionEncoder, controlnet, lora};
  return {model, ...adapters, vae, tokenizer, adapterHeads, random, randomAdapter, dtype};
}

/** For processes that make many pictures: room for about a thousand prompts, or two hundred images. */
export const hostSettings = {keepModels: true, encodingCacheBytes: 2 ** 28} as const;

/**
 * The pipeline that the options ask for.
 *
 * @param settings of how it runs, beside the options
 * @throws ArgumentError where they name no model, or more than one; see `IPAdapterInstructPipeline.load` for the rest
 */
export async function openPipeline(
  flags: ModelFlags,
  settings: Pick<RunSettings, 'keepModels' | 'encodingCacheBytes'> = {},
): Promise<IPAdapterInstructPipeline> {
  if ((flags.model === undefined) === (flags.random === undefined)) {
    throw new ArgumentError(
      `model: expected either --model or --random but received ${flags.model === undefined ? 'neither' : 'both'}. ` +
        'Give --model a diffusers folder or a checkpoint file, or try out --random tiny.',
    );
  }
  const {dtype, device, lora} = flags;
  useThreads(flags);
  const common = {...settings, dtype, device, loras: lora};
  if (flags.model === undefined) {
    return IPAdapterInstructPipeline.random(
      defined({...common, size: flags.random, adapter: flags.randomAdapter}),
    );
  }
  const {model, adapter, namedAdapter: adapters, imageEncoder, instructionEncoder} = flags;
  const {controlnet, vae, tokenizer, adapterHeads} = flags;
  return IPAdapterInstructPipeline.load({
    model,
    ...defined({
      ...common,
      adapter,
      adapters,
      imageEncoder,
      instructionEncoder,
      vae,
      tokenizer,
      adapterHeads,
    }),
    controlNets: controlnet ?? [],
  });
}
