/**
 * Small PNG files of the plainest kind (ISO/IEC 15948): a tenth of the work of sharp, which takes as long for any small picture.
 */
import {crc32, inflateSync} from 'node:zlib';
import type {RgbImage} from './image.ts';

const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
/** Bytes of a pixel: red, green, blue. */
const pixelBytes = 3;
/** Of pictures that are unpacked while the caller's thread waits: it takes a millisecond or two. */
const longestSide = 256;

interface Header {
  readonly width: number;
  readonly height: number;
}

/**
 * The picture of a PNG file with 8-bit RGB, not interlaced, and with nothing in it that could change how it looks.
 * Undefined for all else, damaged files too: sharp knows what to do with them, or to say of them.
 */
export function decodePlainPng(file: Uint8Array): RgbImage | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (!bytes.subarray(0, signature.length).equals(signature)) return undefined;
  let header: Header | undefined;
  const packed: Buffer[] = [];
  for (let position = signature.length; position + 12 <= bytes.length; ) {
    const end = position + 8 + bytes.readUInt32BE(position);
    if (end + 4 > bytes.length) return undefined;
    if (crc32(bytes.subarray(position + 4, end)) !== bytes.readUInt32BE(end)) return undefined;
    const type = bytes.toString('latin1', position + 4, position + 8);
    const content = bytes.subarray(position + 8, end);
    position = end + 4;
    if (type === 'IEND') return header && unpack(header, Buffer.concat(packed));
    if (type === 'IHDR') header = parseHeader(content);
    else if (type === 'IDAT') packed.push(content);
    // Pixels to a metre say nothing about them.
    else if (type !== 'pHYs') return undefined;
    if (header === undefined) return undefined;
  }
  return undefined;
}

function parseHeader(content: Buffer): Header | undefined {
  if (content.length !== 13) return undefined;
  const [width, height] = [content.readUInt32BE(0), content.readUInt32BE(4)];
  // Depth 8, RGB, the one compression, the one set of filters, not interlaced.
  const isPlain = content.subarray(8).equals(Buffer.of(8, 2, 0, 0, 0));
  const isSmall = [width, height].every(side => side > 0 && side <= longestSide);
  return isPlain && isSmall ? {width, height} : undefined;
}

function unpack({width, height}: Header, packed: Buffer): RgbImage | undefined {
  const rowBytes = width * pixelBytes;
  const length = (rowBytes + 1) * height;
  try {
    const filtered = inflateSync(packed, {maxOutputLength: length});
    if (filtered.length !== length) return undefined;
    const data = unfilter(filtered, rowBytes, height);
    return data && {width, height, data};
  } catch {
    // Damaged, or longer than it should be.
    return undefined;
  }
}

/** Rows begin with their filter's number; undefined where there is no such filter. */
function unfilter(filtered: Uint8Array, rowBytes: number, height: number): Uint8Array | undefined {
  const data = new Uint8Array(rowBytes * height);
  let above = new Uint8Array(rowBytes);
  for (let y = 0; y < height; y++) {
    const begin = y * (rowBytes + 1);
    const row = data.subarray(y * rowBytes, (y + 1) * rowBytes);
    row.set(filtered.subarray(begin + 1, begin + 1 + rowBytes));
    if (!unfilterRow(filtered[begin]!, row, above)) return undefined;
    above = row;
  }
  return data;
}

/** In place; a loop for each filter, as bytes are many. Before a row's first pixel, all is 0. */
function unfilterRow(filter: number, row: Uint8Array, above: Uint8Array): boolean {
  const {length} = row;
  switch (filter) {
    case 0:
      return true;
    case 1:
      for (let x = pixelBytes; x < length; x++) row[x]! += row[x - pixelBytes]!;
      return true;
    case 2:
      for (let x = 0; x < length; x++) row[x]! += above[x]!;
      return true;
    case 3:
      for (let x = 0; x < pixelBytes; x++) row[x]! += above[x]! >> 1;
      for (let x = pixelBytes; x < length; x++) row[x]! += (row[x - pixelBytes]! + above[x]!) >> 1;
      return true;
    case 4:
      for (let x = 0; x < pixelBytes; x++) row[x]! += above[x]!;
      for (let x = pixelBytes; x < length; x++) {
        row[x]! += paeth(row[x - pixelBytes]!, above[x]!, above[x - pixelBytes]!);
      }
      return true;
    default:
      return false;
  }
}

/** That of the three which is nearest to left + above - corner; of equally near ones the first. */
function paeth(left: number, above: number, corner: number): number {
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}
