import {Option} from '@commander-js/extra-typings';
import {ProfileSink} from '../../engine/profile.ts';
import {ArgumentError} from '../../errors.ts';
import {writeWholeFile} from '../../files/write-whole-file.ts';
import {writeImage} from '../../images/write-image.ts';
import {chromeTrace} from '../../inspect/chrome-trace.ts';
import {formatSeconds} from '../../inspect/format.ts';
import {attentionMapGrid} from '../../pipelines/attention-map-grid.ts';
import type {GenerateResult} from '../../pipelines/generate.ts';
import type {GenerateEvent, GenerateOptions} from '../../pipelines/generate-options.ts';
import type {IPAdapterInstructPipeline} from '../../pipelines/ip-adapter-instruct-pipeline.ts';
import type {MemoryEstimate} from '../../pipelines/memory-estimate.ts';
import {interruptible} from '../interrupt.ts';
import {memoryText} from '../memory-text.ts';
import {addModelOptions, type ModelFlags, openPipeline} from '../options/model-options.ts';
import {type PictureFlags, pictureCommand, toGenerateOptions} from '../options/picture-options.ts';
import {readLatents} from '../options/read-latents.ts';
import {checkOutputPath, checkWritable, type OutputType, writeLatents} from '../output-files.ts';
import {numbered, PictureWriter} from '../picture-writer.ts';
import {showProgress} from '../progress.ts';
import {warn} from '../warn.ts';

interface OutputFlags {
  readonly outputType: OutputType;
  readonly output?: string | undefined;
  readonly latents?: string | undefined;
  readonly attentionMaps?: string | undefined;
  readonly profile?: string | undefined;
  readonly json?: true | undefined;
}

type Flags = PictureFlags & ModelFlags & OutputFlags;

export function generateCommand() {
  return addModelOptions(pictureCommand('generate', {needsPrompt: true}).description('make pictures'))
    .addOption(
      new Option('--output-type <type>', 'pictures, or latents in a safetensors file')
        .choices(['png', 'latent'] as const)
        .default('png' as const),
    )
    .option('--output <file>', 'default: image.png or latents.safetensors; several pictures are numbered')
    .option('--latents <file>', 'safetensors file with the noise to start from, as tensor `latents`')
    .option(
      '--attention-maps <file>',
      "picture of where each of the adapter's tokens is attended; several are numbered",
    )
    .option('--profile <file>', 'write the time of each op, for chrome://tracing')
    .option('--json', 'print one JSON object: files, seeds, timings, memory')
    .action(flags => interruptible(signal => run(flags, signal)));
}

async function run(flags: Flags, signal: AbortSignal): Promise<void> {
  const {outputType, output = outputType === 'png' ? 'image.png' : 'latents.safetensors'} = flags;
  await checkOutputPath(output, outputType);
  if (flags.attentionMaps !== undefined) await checkMapsPath(flags.attentionMaps, outputType);
  if (flags.profile !== undefined) await checkWritable(flags.profile);
  const latents = flags.latents === undefined ? {} : {latents: await readLatents(flags.latents)};
  const pipeline = await openPipeline(flags);
  try {
    const options: GenerateOptions = {
      ...(await toGenerateOptions(flags)),
      ...latents,
      outputType: outputType === 'png' ? 'pil' : 'latent',
      attentionMaps: flags.attentionMaps !== undefined,
      onWarning: warn,
    };
    const estimate = pipeline.estimateMemory(options);
    process.stderr.write(`${memoryText(estimate)}\n`);
    const profile = flags.profile === undefined ? undefined : new ProfileSink();
    const request = {...options, signal, ...(profile && {profile})};
    const writer = new PictureWriter(output, parametersOf(flags));
    const result = await generateAndWrite(pipeline, request, writer);
    const files = outputType === 'png' ? await writer.finish() : await writeLatents(output, result.images);
    const maps = flags.attentionMaps === undefined ? [] : await writeMaps(flags.attentionMaps, result, flags);
    if (profile !== undefined) await writeWholeFile(flags.profile!, [Buffer.from(chromeTrace(profile.rows))]);
    report(flags, files, maps, result, estimate);
  } finally {
    await pipeline.dispose();
  }
}

/** What is finished is kept, and named, whatever becomes of the rest. */
async function generateAndWrite(
  pipeline: IPAdapterInstructPipeline,
  options: GenerateOptions,
  writer: PictureWriter,
): Promise<GenerateResult> {
  const progress = showProgress();
  const onProgress = (event: GenerateEvent) => {
    if (event.type === 'picture') writer.add(event);
    progress.onProgress(event);
  };
  try {
    return await pipeline.generate({...options, onProgress});
  } catch (error) {
    for (const file of await writer.finish()) process.stderr.write(`kept: ${file}\n`);
    throw error;
  } finally {
    progress.stop();
  }
}

/** Maps are laid over pictures. */
async function checkMapsPath(path: string, outputType: OutputType): Promise<void> {
  await checkOutputPath(path, 'png');
  if (outputType === 'png') return;
  throw new ArgumentError(
    `attention-maps '${path}': expected --output-type png, for the pictures that maps are laid over, but received ` +
      `${outputType}. Leave one of the two out.`,
  );
}

/** @returns the paths */
async function writeMaps(path: string, {images}: GenerateResult, flags: Flags): Promise<string[]> {
  const paths = images.map((_, index) => numbered(path, index, images.length));
  for (const [index, image] of images.entries()) {
    const parameters = {...parametersOf(flags), seed: image.seed};
    await writeImage(paths[index]!, await attentionMapGrid(image), {parameters});
  }
  return paths;
}

/** What a picture's file says of its making. */
function parametersOf(flags: Flags): Record<string, unknown> {
  const {output, outputType, json, profile, threads, attentionMaps, ...parameters} = flags;
  return parameters;
}

function report(
  {json}: Flags,
  files: readonly string[],
  attentionMaps: readonly string[],
  {images, timings}: GenerateResult,
  estimate: MemoryEstimate,
): void {
  const seeds = images.map(image => image.seed);
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  const summary = {
    files,
    ...(attentionMaps.length > 0 && {attentionMaps}),
    seeds,
    timings,
    memory: {estimate, peakBytes},
  };
  if (json) process.stdout.write(`${JSON.stringify(summary)}\n`);
  else {
    for (const file of [...files, ...attentionMaps]) process.stdout.write(`${file}\n`);
    process.stderr.write(`seed ${seeds.join(', ')} · ${formatSeconds(timings.totalSeconds)}\n`);
  }
}
