/**
 * What stands in a TensorBoard event file: `Event` messages (tensorflow/core/util/event.proto and
 * framework/summary.proto) in protobuf's wire format, each framed as a TFRecord.
 */
import {crc32c} from './crc32c.ts';

/** A point of a curve, or a picture as PNG, under a name in which `/` makes groups. */
export type SummaryValue =
  | {readonly tag: string; readonly scalar: number}
  | {readonly tag: string; readonly png: Uint8Array; readonly width: number; readonly height: number};

/** What an event tells: the file's format, that a process begins here, or values. */
export type EventContent = {readonly fileVersion: string} | 'start' | readonly SummaryValue[];

/**
 * An event as a record of the file.
 *
 * @param wallTime seconds since 1970
 */
export function eventRecord(wallTime: number, step: number, content: EventContent): Buffer {
  return frame(Buffer.concat([double(1, wallTime), integer(2, step), encodeContent(content)]));
}

function encodeContent(content: EventContent): Buffer {
  if (content === 'start') return bytes(7, integer(1, sessionStart));
  if ('fileVersion' in content) return bytes(3, Buffer.from(content.fileVersion));
  return bytes(5, Buffer.concat(content.map(value => bytes(1, encodeValue(value)))));
}

/** `SessionLog.START` */
const sessionStart = 1;
/** `Summary.Image.colorspace`: RGB. */
const rgb = 3;

function encodeValue(value: SummaryValue): Buffer {
  const tag = bytes(1, Buffer.from(value.tag));
  if ('scalar' in value) return Buffer.concat([tag, float(2, value.scalar)]);
  const {width, height, png} = value;
  const image = [integer(1, height), integer(2, width), integer(3, rgb), bytes(4, png)];
  return Buffer.concat([tag, bytes(4, Buffer.concat(image))]);
}

/** Length and data, each followed by its masked checksum (tensorflow/core/lib/io/record_writer.h). */
function frame(data: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([length, checksum(length), data, checksum(data)]);
}

/** CRC-32C turned by 15 bits, plus a constant: checksums of data that hold checksums are weak otherwise. */
function checksum(data: Buffer): Buffer {
  const crc = crc32c(data);
  const masked = Buffer.alloc(4);
  masked.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  return masked;
}

// Fields of protobuf's wire format: a key of number and type, then the value.
const wireTypes = {varint: 0, fixed64: 1, lengthDelimited: 2, fixed32: 5} as const;

function field(number: number, type: keyof typeof wireTypes, value: Uint8Array): Buffer {
  return Buffer.concat([varint(number * 8 + wireTypes[type]), value]);
}

function integer(number: number, value: number): Buffer {
  return field(number, 'varint', varint(value));
}

function float(number: number, value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeFloatLE(value);
  return field(number, 'fixed32', data);
}

function double(number: number, value: number): Buffer {
  const data = Buffer.alloc(8);
  data.writeDoubleLE(value);
  return field(number, 'fixed64', data);
}

/** Text, bytes, or a message. */
function bytes(number: number, value: Uint8Array): Buffer {
  return field(number, 'lengthDelimited', Buffer.concat([varint(value.length), value]));
}

/** Of a non-negative safe integer: seven bits a byte, the lowest first. */
function varint(value: number): Buffer {
  const digits: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    digits.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Buffer.from([...digits, rest]);
}
