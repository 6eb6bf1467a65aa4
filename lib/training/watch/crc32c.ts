/**
 * CRC-32C (Castagnoli), as RFC 3720, §12.1, has it for iSCSI; zlib's is another polynomial.
 */

/** Castagnoli's polynomial with its bits reversed. */
const polynomial = 0x82f63b78;

/** Remainders of single bytes. */
const table = Uint32Array.from({length: 256}, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? polynomial : 0);
  return remainder;
});

/** An unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array): number {
  let state = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) state = (state >>> 8) ^ table[(state ^ bytes[i]!) & 0xff]!;
  return ~state >>> 0;
}
