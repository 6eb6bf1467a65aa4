/**
 * The texts that the UNet attends to, row by row, and which rows can share a call of it.
 */
import type {CLIPTokenizer} from '../tokenizer/clip-tokenizer.ts';
import {type PromptChunks, type PromptSyntax, promptChunks} from './prompt-chunks.ts';
import type {Row} from './rows.ts';

/** How the texts of a generation are read. */
export interface TextReading {
  readonly promptSyntax: PromptSyntax;
  readonly clipSkip: number;
}

export interface RowText extends PromptChunks {
  /** Chunks of the empty text after its own: all rows of a sample have one length. */
  readonly padding: readonly Int32Array[];
  /** Layers of the text encoder that are left out; only for the prompt, as in diffusers. */
  readonly clipSkip: number;
}

/** One for each row. A sample's length is that of its longest text, whatever other samples have. */
export function rowTexts(
  tokenizer: CLIPTokenizer,
  rows: readonly Row[],
  {promptSyntax, clipSkip}: TextReading,
): RowText[] {
  const read = new Map<string, PromptChunks>();
  for (const {text} of rows) {
    if (!read.has(text)) read.set(text, promptChunks(tokenizer, text, promptSyntax));
  }
  const lengths: number[] = [];
  for (const {sample, text} of rows) {
    lengths[sample] = Math.max(lengths[sample] ?? 0, read.get(text)!.chunks.length);
  }
  const empty = tokenizer.frame([]);
  return rows.map(({sample, text, isPrompt}) => {
    const own = read.get(text)!;
    const padding = new Array<Int32Array>(lengths[sample]! - own.chunks.length).fill(empty);
    return {...own, padding, clipSkip: isPrompt ? clipSkip : 0};
  });
}

export function allChunks({chunks, padding}: RowText): readonly Int32Array[] {
  return [...chunks, ...padding];
}

/** Places of rows whose texts have as many chunks, in ascending order: the UNet is called once for each group. */
export function rowGroups(texts: readonly RowText[]): number[][] {
  const groups = new Map<number, number[]>();
  for (const [place, text] of texts.entries()) {
    const length = allChunks(text).length;
    groups.set(length, [...(groups.get(length) ?? []), place]);
  }
  return [...groups.values()];
}
