/**
 * Prompts with weights, in the syntax of AUTOMATIC1111's web UI: `(word)`, `[word]`, `(word:1.3)`, `\(`, `BREAK`.
 */

/** A part of a prompt, and how much it counts: 1 where nothing is said. */
export interface WeightedText {
  readonly text: string;
  readonly weight: number;
}

/** What round brackets multiply a weight with; square ones divide by it. */
const emphasis = 1.1;

/** An escaped character (a backslash alone stands for nothing), a weight that ends brackets, a bracket, text. */
const PIECE = /\\[()[\]\\]?|:\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*\)|[()[\]]|[^\\()[\]:]+|:/gu;

/** As a word of its own, in upper case. Escapes within it, as in `B\REAK`, make it a word like any other. */
const BREAK = /(?<![\p{L}\p{N}_])BREAK(?![\p{L}\p{N}_])/u;

interface MutablePiece {
  text: string;
  weight: number;
}

/**
 * Parts of a prompt by sections, which `BREAK` divides. Neighbours of one weight are one part; a section may be empty.
 *
 * Any text is a prompt: a bracket that is never closed counts to the end, one that closes nothing is text, and so is a
 * weight without round brackets. `BREAK` counts within brackets too.
 */
export function parseWeightedPrompt(prompt: string): WeightedText[][] {
  const pieces: MutablePiece[] = [];
  /** Places of pieces that begin a section. */
  const breaks: number[] = [];
  const round: number[] = [];
  const square: number[] = [];
  const multiplyFrom = (place: number, factor: number) => {
    for (const piece of pieces.slice(place)) piece.weight *= factor;
  };
  const append = (text: string) => pieces.push({text, weight: 1});

  for (const [piece, weight] of prompt.matchAll(PIECE)) {
    if (piece.startsWith('\\')) append(piece.slice(1));
    else if (piece === '(') round.push(pieces.length);
    else if (piece === '[') square.push(pieces.length);
    else if (weight !== undefined && round.length > 0) multiplyFrom(round.pop()!, Number(weight));
    else if (piece === ')' && round.length > 0) multiplyFrom(round.pop()!, emphasis);
    else if (piece === ']' && square.length > 0) multiplyFrom(square.pop()!, 1 / emphasis);
    else {
      for (const [index, text] of piece.split(BREAK).entries()) {
        if (index > 0) breaks.push(pieces.length);
        append(text);
      }
    }
  }
  for (const place of round) multiplyFrom(place, emphasis);
  for (const place of square) multiplyFrom(place, 1 / emphasis);

  const starts = [0, ...breaks];
  return starts.map((start, section) => joinEqual(pieces.slice(start, starts[section + 1])));
}

/** Joins neighbours of one weight, then leaves out what is empty. */
function joinEqual(pieces: readonly WeightedText[]): WeightedText[] {
  const joined: MutablePiece[] = [];
  for (const {text, weight} of pieces) {
    const last = joined.at(-1);
    if (last?.weight === weight) last.text += text;
    else joined.push({text, weight});
  }
  return joined.filter(({text}) => text !== '');
}
