/**
 * Weights of TensorFlow.js: a manifest in JSON that names tensors, and beside it the files that hold their numbers one after
 * another, quantised or not (`weightsManifest` in tfjs-core's `io/types.ts`).
 */
import {basename, dirname, join} from 'node:path';
import {z} from 'zod';
import {FileError} from '../errors.ts';
import {readBytes, withFile} from './read-file.ts';
import {toFloat32} from './read-tensor.ts';
import {BYTES_PER_ELEMENT, elementCount} from './stored-tensor.ts';

/** A tensor in memory, row-major. */
export interface TfjsTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

const quantization = z.discriminatedUnion('dtype', [
  z.object({dtype: z.literal('float16')}),
  z.object({dtype: z.enum(['uint8', 'uint16']), scale: z.number(), min: z.number()}),
]);

const entry = z.object({
  name: z.string().min(1),
  shape: z.array(z.int().nonnegative()),
  dtype: z.literal('float32'),
  quantization: quantization.optional(),
});
type Entry = z.infer<typeof entry>;

const fileName = z.string().refine(path => basename(path) === path, 'expected the name of a file beside it');

const manifest = z.array(z.object({paths: z.array(fileName).min(1), weights: z.array(entry)})).min(1);

/**
 * Reads all tensors of a manifest as float32.
 *
 * @param path of the manifest, `*weights_manifest.json`
 * @returns by their names, whose parts are joined by dots in place of TensorFlow's slashes
 * @throws FileError where a file is missing, is no manifest, or has another size than the manifest says
 */
export async function readTfjsWeights(path: string): Promise<Map<string, TfjsTensor>> {
  const tensors = new Map<string, TfjsTensor>();
  for (const {paths, weights} of await readManifest(path)) {
    const bytes = await readGroup(path, paths, weights);
    let begin = 0;
    for (const weight of weights) {
      const end = begin + byteLength(weight);
      const name = weight.name.replaceAll('/', '.');
      if (tensors.has(name)) throw damaged(path, `every tensor once; got '${weight.name}' more than once`);
      tensors.set(name, {shape: weight.shape, data: dequantize(bytes.subarray(begin, end), weight)});
      begin = end;
    }
  }
  return tensors;
}

async function readManifest(path: string): Promise<z.infer<typeof manifest>> {
  const text = (await readWhole(path)).toString('utf8');
  try {
    return manifest.parse(JSON.parse(text));
  } catch (cause) {
    const found = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message;
    throw damaged(path, `a TensorFlow.js weights manifest of float32 tensors; got: ${found}`, {cause});
  }
}

async function readGroup(path: string, paths: readonly string[], weights: readonly Entry[]): Promise<Buffer> {
  const files = await Promise.all(paths.map(name => readWhole(join(dirname(path), name))));
  const bytes = Buffer.concat(files);
  const expected = weights.reduce((sum, weight) => sum + byteLength(weight), 0);
  if (bytes.length === expected) return bytes;
  throw damaged(path, `${expected} bytes in ${paths.join(', ')}; got ${bytes.length}`);
}

function readWhole(path: string): Promise<Buffer> {
  return withFile(path, (file, size) => readBytes(file, path, 0, size));
}

function byteLength({shape, quantization}: Entry): number {
  return elementCount(shape) * BYTES_PER_ELEMENT[quantization?.dtype ?? 'float32'];
}

/** value · scale + min in double precision, rounded once, as TensorFlow.js does. */
function dequantize(bytes: Buffer, {quantization}: Entry): Float32Array {
  const values = toFloat32(bytes, quantization?.dtype ?? 'float32');
  if (quantization === undefined || quantization.dtype === 'float16') return values;
  const {scale, min} = quantization;
  return values.map(value => value * scale + min);
}

function damaged(path: string, expected: string, options?: ErrorOptions): FileError {
  return new FileError(`${path}: expected ${expected}. Get the file and those beside it again.`, options);
}
