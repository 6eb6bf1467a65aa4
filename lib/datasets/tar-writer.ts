/**
 * Members of a tar archive as bytes (POSIX.1-1988, ustar), without time or owner: equal contents give equal archives.
 */
import {InternalError} from '../errors.ts';

const blockSize = 512;

/** Two blocks of zeros end an archive. */
export const tarEnd: Uint8Array = new Uint8Array(2 * blockSize);

/** A file's header and content, filled up to whole blocks. */
export function tarMember(name: string, content: Uint8Array): Uint8Array {
  if (Buffer.byteLength(name) > 100)
    throw new InternalError(`a tar member's name of over 100 bytes: ${name}.`);
  const member = Buffer.alloc(blockSize + Math.ceil(content.length / blockSize) * blockSize);
  member.write(name, 0);
  member.write('0000644\0', 100);
  member.write('0000000\0', 108);
  member.write('0000000\0', 116);
  member.write(`${octal(content.length, 11)}\0`, 124);
  member.write(`${octal(0, 11)}\0`, 136);
  member.write('0', 156);
  member.write('ustar\x0000', 257);
  // The checksum counts its own field as blanks.
  member.fill(' ', 148, 156);
  const sum = member.subarray(0, blockSize).reduce((total, byte) => total + byte, 0);
  member.write(`${octal(sum, 6)}\0 `, 148);
  member.set(content, blockSize);
  return member;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
