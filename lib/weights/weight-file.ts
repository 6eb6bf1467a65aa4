import {FileError} from '../errors.ts';
import {readBytes, withFile} from './read-file.ts';
import {readSafetensorsIndex} from './safetensors.ts';
import type {WeightIndex} from './stored-tensor.ts';
import {readTorchIndex} from './torch-bin.ts';

type Format = {readonly reader: (path: string) => Promise<WeightIndex>} | {readonly refusal: string};

const MAGIC_BYTES = 32;

/** By the first bytes; names of files lie too often. */
const FORMATS: readonly (readonly [(head: Buffer) => boolean, Format])[] = [
  [startsWith('PK\x03\x04'), {reader: readTorchIndex}],
  [
    startsWith('\x80\x02\x8a\x0a\x6c\xfc\x9c\x46'),
    {
      refusal:
        'a torch file of the format before torch 1.6. Convert it in Python: ' +
        'torch.save(torch.load(OLD, map_location="cpu", weights_only=True), NEW)',
    },
  ],
  [
    startsWith('version https://git-lfs'),
    {refusal: 'a Git LFS pointer, not the file. Run `git lfs pull` in its folder'},
  ],
  [
    head => /^\s*<(!doctype|html|\?xml)/i.test(head.toString('latin1')),
    {
      refusal:
        'a web page: the download has failed. Download the file again, signed in if its page asks for it',
    },
  ],
  [startsWith('GGUF'), {refusal: 'a GGUF file. Give the .safetensors file of the model'}],
  [startsWith('\x89HDF'), {refusal: 'a TensorFlow (HDF5) file. Give the .safetensors file of the model'}],
  // Last: the format has no magic number, but its header is a JSON object behind an 8-byte length.
  [head => head.length < 9 || head[8] === 0x7b, {reader: readSafetensorsIndex}],
];

/**
 * Reads what one weight file holds: `.safetensors` or torch's zip format, told apart by their first bytes.
 * @throws FileError where it is neither, is damaged, or is a format that must be converted, saying how.
 */
export async function openWeightFile(path: string): Promise<WeightIndex> {
  const head = await withFile(path, (file, size) => readBytes(file, path, 0, Math.min(size, MAGIC_BYTES)));
  const format = FORMATS.find(([matches]) => matches(head))?.[1];
  if (format && 'reader' in format) return format.reader(path);
  const got = format?.refusal ?? `a file that begins with the bytes ${head.subarray(0, 8).toString('hex')}`;
  throw new FileError(
    `${path}: expected a .safetensors file or a torch zip file (.bin, .ckpt, .pt); got ${got}.`,
  );
}

function startsWith(magic: string): (head: Buffer) => boolean {
  return head => head.toString('latin1').startsWith(magic);
}
