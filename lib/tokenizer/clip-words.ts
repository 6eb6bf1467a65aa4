/** Unicode's White_Space. JavaScript's `\s` differs: it lacks U+0085 and adds U+FEFF. */
const WHITE_SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/gu;

/**
 * CLIP's words: the two markers, English contractions, runs of letters, single digits, runs of anything else.
 */
const WORD = /<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^ \p{L}\p{N}]+/gu;

/**
 * A marker that stands in the text in other letter case is no marker, and its brackets are words of their
 * own.
 */
const SPELLED_MARKER = /^(<\|)(startoftext|endoftext)(\|>)$/;

/**
 * Splits text into the words that CLIP's byte-pair encoding works on, as the `tokenizers` pipeline of
 * transformers' CLIPTokenizer does: NFC, white space to one blank, lower case letter by letter (a final sigma
 * stays U+03C3, unlike `String.toLowerCase` of a whole word), split by CLIP's expression, then by GPT-2's.
 */
export function splitClipWords(text: string): string[] {
  const spaced = text.normalize('NFC').replace(WHITE_SPACE, ' ');
  const lowered = Array.from(spaced, character => character.toLowerCase()).join('');
  return (lowered.match(WORD) ?? []).flatMap(word => SPELLED_MARKER.exec(word)?.slice(1) ?? [word]);
}
