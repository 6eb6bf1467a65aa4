/**
 * What a weight file or a model folder holds, told by its tensors; nothing is loaded.
 */
import {readdir, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {FileError} from '../errors.ts';
import {type AdapterDescription, detectAdapterKind} from '../weights/adapter-kind.ts';
import {canonicalAdapterTensors} from '../weights/adapter-names.ts';
import {openWeights} from '../weights/open-weights.ts';
import {isSingleFileCheckpoint, splitSingleFile} from '../weights/single-file.ts';
import type {StoredTensor, TensorMap, WeightIndex} from '../weights/stored-tensor.ts';

export interface TensorSummary {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** One set of weights. */
export interface WeightsReport {
  readonly path: string;
  /** For people: `IP-Adapter, kind instruct`, `UNet`, … */
  readonly kind: string;
  /** Number of tensors by dtype. */
  readonly dtypes: Readonly<Record<string, number>>;
  readonly parameters: number;
  readonly bytes: number;
  /** Of an adapter: what its tensors say. */
  readonly adapter?: AdapterDescription;
  /** Of a single-file checkpoint: the models in it. */
  readonly models?: readonly string[];
  readonly tensors: readonly TensorSummary[];
}

export interface DescribeOptions {
  /** Attention heads of an adapter's resampler, where they are not 64 wide. */
  readonly adapterHeads?: number | undefined;
}

/**
 * Reports on a file, on a component's folder, or on each component of a diffusers folder.
 *
 * @throws FileError, WeightsError where there are no weights, or they are damaged
 */
export async function describeWeights(path: string, options: DescribeOptions = {}): Promise<WeightsReport[]> {
  const components = await componentFolders(path);
  if (components.length === 0) return [describeIndex(await openWeights(path), options)];
  return Promise.all(components.map(async folder => describeIndex(await openWeights(folder), options)));
}

/** Folders in a folder that hold weights; none where the folder itself, or the file, is what to look at. */
async function componentFolders(path: string): Promise<string[]> {
  const stats = await stat(path).catch((cause: Error) => {
    throw new FileError(`${path}: cannot be read: ${cause.message}. Check the path.`, {cause});
  });
  if (!stats.isDirectory()) return [];
  const entries = await readdir(path, {withFileTypes: true});
  if (entries.some(entry => isWeightFile(entry.name))) return [];
  const folders = entries.filter(entry => entry.isDirectory()).map(entry => join(path, entry.name));
  const withWeights = await Promise.all(
    folders.map(async folder => (await readdir(folder)).some(isWeightFile)),
  );
  return folders.filter((_, index) => withWeights[index]);
}

function isWeightFile(name: string): boolean {
  return /\.(safetensors|bin)(\.index\.json)?$/.test(name);
}

function describeIndex(index: WeightIndex, options: DescribeOptions): WeightsReport {
  const tensors = [...index.tensors.values()];
  const dtypes: Record<string, number> = {};
  for (const {dtype} of tensors) dtypes[dtype] = (dtypes[dtype] ?? 0) + 1;
  return {
    path: index.path,
    ...identify(index, options),
    dtypes,
    parameters: tensors.reduce((sum, {shape}) => sum + shape.reduce((product, size) => product * size, 1), 0),
    bytes: tensors.reduce((sum, {byteLength}) => sum + byteLength, 0),
    tensors: [...index.tensors].map(([name, tensor]) => summarize(name, tensor)),
  };
}

function summarize(name: string, {dtype, shape}: StoredTensor): TensorSummary {
  return {name, dtype, shape};
}

/** Names that only one kind of model has. */
const signatures: readonly (readonly [string, string])[] = [
  ['controlnet_cond_embedding.conv_in.weight', 'ControlNet'],
  ['time_embedding.linear_1.weight', 'UNet'],
  ['decoder.conv_in.weight', 'VAE'],
  ['vision_model.embeddings.class_embedding', 'CLIP vision model'],
  ['text_model.embeddings.token_embedding.weight', 'CLIP text model'],
  ['embeddings.token_embedding.weight', 'CLIP text model'],
];

function identify(
  index: WeightIndex,
  {adapterHeads}: DescribeOptions,
): Pick<WeightsReport, 'kind' | 'adapter' | 'models'> {
  if (isAdapter(index.tensors)) {
    const adapter = detectAdapterKind(canonicalAdapterTensors(index), {
      what: index.path,
      ...(adapterHeads !== undefined && {heads: adapterHeads}),
    });
    return {kind: `IP-Adapter, kind ${adapter.kind}`, adapter};
  }
  if (isSingleFileCheckpoint(index)) {
    const models = Object.keys(splitSingleFile(index));
    return {kind: `single-file checkpoint with ${models.join(', ')}`, models};
  }
  const kind = signatures.find(([name]) => index.tensors.has(name))?.[1];
  return {kind: kind ?? 'weights of an unknown kind'};
}

function isAdapter(tensors: TensorMap): boolean {
  return [...tensors.keys()].some(name => /^(image_proj(_model)?|ip_adapter|adapter_modules)\./.test(name));
}
