import {readFile} from 'node:fs/promises';

/** A message of protobuf's wire format: the values of each field, numbers or bytes, by the field's number. */
export type Message = ReadonlyMap<number, readonly (number | Buffer)[]>;

/** The records of a TFRecord file; throws where a checksum is not that of its bytes. */
export async function readEventFile(path: string): Promise<Message[]> {
  const file = await readFile(path);
  const messages: Message[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    expectChecksum(file, at, 8);
    expectChecksum(file, at + 12, length);
    messages.push(decodeMessage(file.subarray(at + 12, at + 12 + length)));
    at += 12 + length + 4;
  }
  return messages;
}

export function decodeMessage(bytes: Buffer): Message {
  const fields = new Map<number, (number | Buffer)[]>();
  let at = 0;
  const varint = () => {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
      if (byte < 0x80) return value;
    }
  };
  const take = (count: number) => {
    at += count;
    return bytes.subarray(at - count, at);
  };
  while (at < bytes.length) {
    const key = varint();
    const value = {
      0: varint,
      1: () => take(8).readDoubleLE(),
      2: () => take(varint()),
      5: () => take(4).readFloatLE(),
    }[key % 8]!();
    fields.set(Math.floor(key / 8), [...(fields.get(Math.floor(key / 8)) ?? []), value]);
  }
  return fields;
}

function expectChecksum(file: Buffer, at: number, length: number): void {
  const masked = file.readUInt32LE(at + length);
  const turned = (masked - 0xa282ead8) >>> 0;
  const stored = ((turned << 15) | (turned >>> 17)) >>> 0;
  const computed = crcByBits(file.subarray(at, at + length));
  if (stored !== computed) throw new Error(`byte ${at}: CRC ${stored}, of the bytes ${computed}`);
}

/** CRC-32C bit by bit, without the table that is tested. */
function crcByBits(bytes: Uint8Array): number {
  let state = 0xffffffff;
  for (const byte of bytes) {
    state ^= byte;
    for (let bit = 0; bit < 8; bit++) state = (state >>> 1) ^ (0x82f63b78 & -(state & 1));
  }
  return ~state >>> 0;
}
