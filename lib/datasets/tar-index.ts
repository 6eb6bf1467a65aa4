/**
 * Where the members of a tar archive lie, so that samples can be read in any order (POSIX.1-2001, pax; and GNU's long
 * names). Nothing is unpacked.
 */
import {FileError} from '../errors.ts';
import type {FileWindow} from './file-window.ts';

export interface TarMember {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
}

const blockSize = 512;
/** Of a long name or pax header: more is no name. */
const maxHeaderBytes = 1 << 20;

/**
 * Members that are files, in the order of the archive.
 *
 * @param path for messages
 * @throws FileError where the archive is damaged or truncated
 */
export async function indexTar(file: FileWindow, path: string, size: number): Promise<TarMember[]> {
  const members: TarMember[] = [];
  let longName: string | undefined;
  let position = 0;
  while (position + blockSize <= size) {
    const header = await file.read(position, blockSize);
    if (header.length < blockSize) break;
    // Two blocks of zeros end an archive.
    if (header.every(byte => byte === 0)) return members;
    checkSum(header, path, position);
    const length = parseNumber(header.subarray(124, 136));
    const offset = position + blockSize;
    if (!(length >= 0) || offset + length > size) {
      throw new FileError(
        `${path}: expected a member of ${length} bytes at byte ${offset}, but the file ends at ${size}. ` +
          'The archive is truncated: fetch or write it again.',
      );
    }
    const type = String.fromCharCode(header[156]!);
    if (type === 'L' || type === 'x') {
      const text = await readText(file, path, offset, length);
      longName = type === 'L' ? text.replace(/\0.*$/s, '') : (paxPath(text) ?? longName);
    } else if (type === '0' || type === '\0') {
      members.push({name: longName ?? shortName(header), offset, length});
      longName = undefined;
    } else if (type !== 'g') {
      longName = undefined;
    }
    position = offset + Math.ceil(length / blockSize) * blockSize;
  }
  throw new FileError(
    `${path}: expected an end of archive before byte ${size}. It is truncated: fetch or write it again.`,
  );
}

function checkSum(header: Buffer, path: string, position: number): void {
  let sum = 0;
  for (let i = 0; i < blockSize; i++) sum += i >= 148 && i < 156 ? 0x20 : header[i]!;
  if (parseNumber(header.subarray(148, 156)) !== sum) {
    throw new FileError(
      `${path}: expected a tar header at byte ${position}. It is no tar archive, or damaged.`,
    );
  }
}

/** Octal digits, or base 256 where the first bit is set. */
function parseNumber(field: Buffer): number {
  if ((field[0]! & 0x80) !== 0) return field.subarray(1).reduce((value, byte) => value * 256 + byte, 0);
  const digits = field
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

function shortName(header: Buffer): string {
  const text = (begin: number, end: number) => header.toString('utf8', begin, end).replace(/\0.*$/s, '');
  const prefix = text(257, 262) === 'ustar' ? text(345, 500) : '';
  return prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`;
}

async function readText(file: FileWindow, path: string, offset: number, length: number): Promise<string> {
  if (length > maxHeaderBytes) {
    throw new FileError(
      `${path}: expected a name at byte ${offset}, got ${length} bytes. The archive is damaged.`,
    );
  }
  return (await file.read(offset, length)).toString('utf8');
}

/** The `path` record of a pax header: "LENGTH path=VALUE\n". */
function paxPath(text: string): string | undefined {
  return /^\d+ path=(.*)$/m.exec(text)?.[1];
}
