/**
 * What the adapters make of an image, and of an instruction: image tokens.
 */
import {z} from 'zod';
import {FileError} from '../../../errors.ts';
import {decodeImage} from '../../../images/decode-image.ts';
import type {HostTensor} from '../../../pipelines/host-tensor.ts';
import type {PipelineModels} from '../../../pipelines/pipeline-models.ts';
import {type Measurement, measure, moduleTolerance} from '../measurement.ts';
import type {ReferenceCase, ReferenceTensors} from '../reference-case.ts';
import type {ReferenceModels} from '../reference-models.ts';

const schema = z.object({
  image: z.string(),
  prompt: z.string().default(''),
  /** Instructions by the name that outputs carry. */
  queries: z.record(z.string(), z.string()).default({}),
});

type Settings = z.output<typeof schema>;

/** Names of outputs, the longest prefix first: `instruct_paper_style` is not of the adapter `instruct`. */
const adapterOfPrefix = [
  ['instruct_paper', 'ip-adapter-instruct-paper'],
  ['ip_adapter', 'ip-adapter'],
  ['instruct', 'ip-adapter-instruct'],
  ['plus', 'ip-adapter-plus'],
] as const;

export async function checkProjections(
  models: ReferenceModels,
  settings: ReferenceCase,
  tensors: ReferenceTensors,
): Promise<Measurement[]> {
  const parsed = schema.parse(settings);
  const measurements: Measurement[] = [];
  for (const name of tensors.names) {
    const [prefix, adapter] = adapterOf(name);
    for (const adapterFile of models.adapterFiles(adapter)) {
      const pipeline = await models.pipeline({adapterFile});
      const image = models.path(parsed.image);
      const tokens = await tokensOf(pipeline.models, image, parsed, name.slice(prefix.length + 1));
      const output = `${name} of ${adapterFile}`;
      measurements.push(measure(output, tokens, tensors.get(name), moduleTolerance));
    }
  }
  return measurements;
}

function adapterOf(output: string): (typeof adapterOfPrefix)[number] {
  const found = adapterOfPrefix.find(([prefix]) => output === prefix || output.startsWith(`${prefix}_`));
  if (found !== undefined) return found;
  const known = adapterOfPrefix.map(([prefix]) => prefix).join(', ');
  throw new FileError(`tensor '${output}': expected a name that starts with one of ${known}.`);
}

/** @param variant `uncond` for no image, the name of an instruction, or empty */
async function tokensOf(
  {textEncoder, adapter: loaded}: PipelineModels,
  image: string,
  {prompt, queries}: Settings,
  variant: string,
): Promise<HostTensor> {
  const {adapter, imageEncoder, instructionEncoder} = loaded!;
  const features =
    variant === 'uncond'
      ? await imageEncoder.unconditional(adapter.features, 'zero')
      : await imageEncoder.encode(await imageEncoder.pixelValues(await decodeImage(image)), adapter.features);
  return adapter.tokens({
    image: features,
    prompt: adapter.readsPrompt ? await textEncoder.encode([prompt], 0) : undefined,
    instruction: adapter.readsInstruction
      ? await instructionEncoder.encode([instructionOf(queries, variant)])
      : undefined,
  });
}

function instructionOf(queries: Settings['queries'], name: string): string {
  const instruction = queries[name];
  if (instruction !== undefined) return instruction;
  throw new FileError(`queries: expected an instruction '${name}', got ${Object.keys(queries).join(', ')}.`);
}
