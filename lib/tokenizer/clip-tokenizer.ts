import {BytePairEncoder, END_OF_WORD} from './byte-pair-encoder.ts';
import {symbolsToBytes, textToSymbols} from './byte-symbols.ts';
import {splitClipWords} from './clip-words.ts';
import {readTokenizerFiles, type SpecialTokens, type TokenizerFiles} from './tokenizer-files.ts';

/** Words of which token ids are kept: more than a language's common ones. */
const mostWords = 2 ** 14;
/** In characters; longer ones come once. */
const longestWord = 32;

/** A text as the text encoder takes it. */
export interface EncodedText {
  /** [modelMaxLength] token ids: begin marker, text, end marker, padding. */
  readonly inputIds: Int32Array;
  /** Tokens of the whole text, before any cut, without the two markers. */
  readonly tokenCount: number;
  /** The end of the text, as its tokens spell it, that did not fit and that the model will not see. */
  readonly truncated?: string;
}

/**
 * CLIP's tokenizer: lower-cased byte-pair encoding, padded and cut to one length. Token ids equal those of
 * transformers' CLIPTokenizer. The general JavaScript tokenizer libraries differ from it in letter case (a
 * final sigma) and white space (U+0085, U+FEFF), hence an own encoder.
 */
export class CLIPTokenizer {
  /** Tokens of an encoded text, both markers and padding included: 77 for CLIP. */
  readonly modelMaxLength: number;
  readonly bosTokenId: number;
  readonly eosTokenId: number;
  readonly padTokenId: number;

  private readonly vocabulary: ReadonlyMap<string, number>;
  private readonly encoder: BytePairEncoder;
  private readonly specialToken: RegExp;
  /** Token ids of words that were met: texts are made of few, again and again. */
  private readonly words = new Map<string, readonly number[]>();
  private pieces: ReadonlyMap<number, string> | undefined;

  constructor({vocabulary, merges, specialTokens, modelMaxLength}: TokenizerFiles) {
    this.vocabulary = vocabulary;
    this.modelMaxLength = modelMaxLength;
    this.bosTokenId = vocabulary.get(specialTokens.bos)!;
    this.eosTokenId = vocabulary.get(specialTokens.eos)!;
    this.padTokenId = vocabulary.get(specialTokens.pad)!;
    this.encoder = new BytePairEncoder(vocabulary, merges, vocabulary.get(specialTokens.unknown)!);
    this.specialToken = matcherOf(specialTokens);
  }

  /**
   * Loads a tokenizer folder (`vocab.json`, `merges.txt`, `tokenizer_config.json`,
   * `special_tokens_map.json`).
   * @throws FileError where a file is missing or damaged.
   */
  static async load(folder: string): Promise<CLIPTokenizer> {
    return new CLIPTokenizer(await readTokenizerFiles(folder));
  }

  /** Rows of the table of embeddings that its ids ask for. */
  get vocabularySize(): number {
    return this.vocabulary.size;
  }

  /** Encodes any text; what does not fit is cut and reported, never an error. */
  encode(text: string): EncodedText {
    const ids = this.tokenIds(text);
    const {room} = this;
    const inputIds = this.frame(ids.slice(0, room));
    if (ids.length <= room) return {inputIds, tokenCount: ids.length};
    return {inputIds, tokenCount: ids.length, truncated: this.spell(ids.slice(room))};
  }

  /** Tokens of a text that the text encoder reads at once, without the two markers: 75 for CLIP. */
  get room(): number {
    return this.modelMaxLength - 2;
  }

  /** At most {@link room} token ids between the two markers, padded: [modelMaxLength]. */
  frame(ids: readonly number[]): Int32Array {
    const inputIds = new Int32Array(this.modelMaxLength).fill(this.padTokenId);
    inputIds[0] = this.bosTokenId;
    inputIds.set(ids, 1);
    inputIds[1 + ids.length] = this.eosTokenId;
    return inputIds;
  }

  /** Token ids of the whole text without markers. Special tokens that it spells out are taken as such. */
  tokenIds(text: string): number[] {
    // The pattern has one group, so that odd parts are the special tokens themselves.
    return text.split(this.specialToken).flatMap((part, i) => {
      if (i % 2 === 1) return this.vocabulary.get(part)!;
      return splitClipWords(part).flatMap(word => this.wordIds(word));
    });
  }

  private wordIds(word: string): readonly number[] {
    const known = this.words.get(word);
    if (known !== undefined) return known;
    const ids = this.encoder.encodeWord(textToSymbols(word));
    if (word.length <= longestWord && this.words.size < mostWords) this.words.set(word, ids);
    return ids;
  }

  private spell(ids: readonly number[]): string {
    this.pieces ??= new Map(Array.from(this.vocabulary, ([piece, id]) => [id, piece]));
    const symbols = ids.map(id => this.pieces!.get(id)!.replace(END_OF_WORD, ' ')).join('');
    return new TextDecoder().decode(symbolsToBytes(symbols)).trim();
  }
}

function matcherOf(specialTokens: SpecialTokens): RegExp {
  const longestFirst = [...new Set(Object.values(specialTokens))].sort((a, b) => b.length - a.length);
  return new RegExp(
    `(${longestFirst.map(token => token.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|')})`,
    'u',
  );
}
