import {extname} from 'node:path';
import {Command, Option} from '@commander-js/extra-typings';
import {ArgumentError} from '../../errors.ts';
import {readAs, type WrittenDType} from '../../pipelines/convert-dtype.ts';
import {detectAdapterKind} from '../../weights/adapter-kind.ts';
import {canonicalAdapterTensors} from '../../weights/adapter-names.ts';
import {openWeights} from '../../weights/open-weights.ts';
import {type TensorData, writeSafetensors} from '../../weights/write-safetensors.ts';
import {writeTorchBin} from '../../weights/write-torch-bin.ts';
import {parseNumber} from '../options/parse-values.ts';
import {checkWritable} from '../output-files.ts';

/** The groups of a published adapter's `.bin`; in `.safetensors` they are the names' first part. */
const groups = ['image_proj', 'ip_adapter'];

interface Flags {
  readonly dtype?: WrittenDType | undefined;
  readonly adapterHeads?: number | undefined;
}

export function convertCommand() {
  return new Command('convert')
    .description('write an adapter in the layout of published files, whatever layout it has')
    .argument(
      '<adapter>',
      "adapter, or what a training script left: .safetensors, .bin, or accelerate's folder",
    )
    .argument('<output>', 'file to write: .safetensors or .bin')
    .addOption(
      new Option('--dtype <dtype>', 'of the weights (default: as they are)').choices([
        'float32',
        'float16',
      ] as const),
    )
    .option('--adapter-heads <n>', "attention heads of the adapter's resampler", parseNumber)
    .action(run);
}

async function run(adapter: string, output: string, {dtype, adapterHeads}: Flags): Promise<void> {
  const format = extname(output);
  if (format !== '.safetensors' && format !== '.bin') {
    throw new ArgumentError(
      `output '${output}': expected a path that ends in .safetensors or .bin. Choose such a path.`,
    );
  }
  await checkWritable(output);
  const stored = canonicalAdapterTensors(await openWeights(adapter));
  const {kind} = detectAdapterKind(stored, {
    what: adapter,
    ...(adapterHeads !== undefined && {heads: adapterHeads}),
  });
  const tensors = new Map<string, TensorData>();
  for (const [name, tensor] of stored) tensors.set(name, await readAs(tensor, dtype));
  if (format === '.safetensors') await writeSafetensors(output, tensors);
  else await writeTorchBin(output, new Map(groups.map(group => [group, groupOf(tensors, group)])));
  process.stdout.write(`${output}: ${kind}, ${tensors.size} tensors\n`);
}

/** A group's tensors, by what follows its name. */
function groupOf(tensors: ReadonlyMap<string, TensorData>, group: string): Map<string, TensorData> {
  const prefix = `${group}.`;
  const members = [...tensors].filter(([name]) => name.startsWith(prefix));
  return new Map(members.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}
