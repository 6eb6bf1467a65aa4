/**
 * GPT-2's stand-ins for bytes (Radford et al., 2019, `bytes_to_unicode`): printable Latin-1 characters stand
 * for themselves, the other 68 byte values for U+0100 onwards, so that every byte is a visible character.
 */
const SYMBOLS: readonly string[] = buildSymbols();
const BYTE_OF_SYMBOL: ReadonlyMap<string, number> = new Map(SYMBOLS.map((symbol, byte) => [symbol, byte]));

function buildSymbols(): string[] {
  let spare = 0x100;
  return Array.from({length: 256}, (_, byte) => {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
    return String.fromCharCode(printable ? byte : spare++);
  });
}

/** All 256 symbols in the order of CLIP's vocabulary: printable bytes first, as by code point. */
export function sortedSymbols(): string[] {
  return SYMBOLS.toSorted();
}

/** The UTF-8 bytes of a text as symbols; a lone surrogate becomes U+FFFD. */
export function textToSymbols(text: string): string {
  return Array.from(new TextEncoder().encode(text), byte => SYMBOLS[byte]!).join('');
}

/** The UTF-8 bytes that symbols stand for; characters that are no symbols stand for themselves. */
export function symbolsToBytes(symbols: string): Uint8Array {
  const bytes = Array.from(symbols, symbol => BYTE_OF_SYMBOL.get(symbol) ?? new TextEncoder().encode(symbol));
  return Uint8Array.from(bytes.flatMap(b => (typeof b === 'number' ? [b] : [...b])));
}
