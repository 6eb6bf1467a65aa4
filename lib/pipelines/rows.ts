/**
 * Rows of the UNet's batch: one per sample and branch that is run.
 */
import type {Branch} from './guidance.ts';
import type {Sample} from './samples.ts';

/** From what the adapter makes tokens; texts only for adapters that read them. */
export interface TokenSource {
  /** The sample whose condition image is read; undefined for the unconditional image. */
  readonly imageOf: number | undefined;
  readonly instruction: string;
  readonly prompt: string;
}

export interface Row {
  /** Index of the sample. */
  readonly sample: number;
  readonly branch: Branch;
  /** The text that the UNet attends to. */
  readonly text: string;
  /** Whether that is the prompt; `clipSkip` holds for it and not for the negative prompt, as in diffusers. */
  readonly isPrompt: boolean;
  /** undefined for a sample without a condition image. */
  readonly tokens: TokenSource | undefined;
}

/** The rows of all samples, those of one sample together and in the order of its branches (guidance.ts). */
export function rowsOf(samples: readonly Sample[]): Row[] {
  return samples.flatMap((sample, index) =>
    sample.branches.map((branch): Row => {
      const {text, tokens} = contextOf(sample, index, branch);
      return {
        sample: index,
        branch,
        text,
        isPrompt: branch.kind === 'full',
        tokens: sample.ipAdapterImage === undefined ? undefined : tokens,
      };
    }),
  );
}

/** Whether all samples have as many rows, which then share what the UNet computes of their sample alone. */
export function haveEqualRows(rows: readonly Row[]): boolean {
  const each = rows.length / (rows.at(-1)!.sample + 1);
  return Number.isInteger(each) && rows.every(({sample}, index) => sample === Math.floor(index / each));
}

function contextOf(sample: Sample, index: number, {kind}: Branch): {text: string; tokens: TokenSource} {
  const {prompt, negativePrompt, instruction} = sample;
  switch (kind) {
    case 'full':
      return {text: prompt, tokens: {imageOf: index, instruction, prompt}};
    case 'everything':
      return {text: negativePrompt, tokens: {imageOf: index, instruction: 'everything', prompt}};
    case 'image-only':
      return {
        text: negativePrompt,
        tokens: {imageOf: index, instruction: negativePrompt, prompt: negativePrompt},
      };
    case 'unconditional':
      return {text: negativePrompt, tokens: {imageOf: undefined, instruction: '', prompt: negativePrompt}};
  }
}
