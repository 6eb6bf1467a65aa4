/**
 * Rows of the UNet's batch: one per sample and branch that is run.
 */
import type {ImageCombination} from './combine-images.ts';
import type {SampleCondition} from './conditions.ts';
import type {Branch} from './guidance.ts';
import {type PromptSyntax, promptWords} from './prompt-chunks.ts';
import type {Sample} from './samples.ts';
import type {SourceImage} from './unconditional-image.ts';

/**
 * From what an adapter makes tokens; texts only for adapters that read them. Adapters were trained on the first tokens of
 * plain prompts: theirs are the words of a prompt, without weights, and cut where the text encoder ends.
 */
export interface TokenSource {
  /** undefined for what the image encoder has in the place of none. */
  readonly images: readonly SourceImage[] | undefined;
  readonly imageWeights: readonly number[];
  readonly combine: ImageCombination;
  /** What the images show and the tokens are not to; empty where nothing is subtracted. */
  readonly content: string;
  readonly instruction: string;
  readonly prompt: string;
}

export interface Row {
  /** Index of the sample. */
  readonly sample: number;
  readonly branch: Branch;
  /** The text that the UNet attends to, as it was written. */
  readonly text: string;
  /** Whether that is the prompt; `clipSkip` holds for it and not for the negative prompt, as in diffusers. */
  readonly isPrompt: boolean;
  /** One for each slot of conditions; undefined where the sample has no image there. */
  readonly tokens: readonly (TokenSource | undefined)[];
}

/** The rows of all samples, those of one sample together and in the order of its branches (guidance.ts). */
export function rowsOf(samples: readonly Sample[], promptSyntax: PromptSyntax): Row[] {
  return samples.flatMap((sample, index) =>
    sample.branches.map(
      (branch): Row => ({
        sample: index,
        branch,
        text: branch.kind === 'full' ? sample.prompt : sample.negativePrompt,
        isPrompt: branch.kind === 'full',
        tokens: sample.conditions.map(
          condition => condition && tokenSource(condition, inWords(sample, promptSyntax), branch),
        ),
      }),
    ),
  );
}

/** The samples that rows belong to, in their order. */
export function samplesIn(rows: readonly Row[]): number[] {
  return [...new Set(rows.map(({sample}) => sample))];
}

/** Whether all samples have as many rows, which then share what the UNet computes of their sample alone. */
export function haveEqualRows(rows: readonly Row[]): boolean {
  const samples = samplesIn(rows);
  const each = rows.length / samples.length;
  return (
    Number.isInteger(each) && rows.every(({sample}, index) => sample === samples[Math.floor(index / each)])
  );
}

/** A sample whose prompts are without the syntax of weights. */
function inWords(sample: Sample, syntax: PromptSyntax): Sample {
  const {prompt, negativePrompt} = sample;
  return {
    ...sample,
    prompt: promptWords(prompt, syntax),
    negativePrompt: promptWords(negativePrompt, syntax),
  };
}

function tokenSource(
  {instruction, negContentPrompt: content, ...given}: SampleCondition,
  {prompt, negativePrompt, negativeImage}: Sample,
  {kind}: Branch,
): TokenSource {
  switch (kind) {
    case 'full':
      return {...given, content, instruction, prompt};
    case 'everything':
      return {...given, content, instruction: 'everything', prompt};
    case 'image-only':
      return {...given, content, instruction: negativePrompt, prompt: negativePrompt};
    case 'unconditional': {
      // Of no image there is no content, and a negative one is not that of which content is known.
      const texts = {content: '', instruction: '', prompt: negativePrompt};
      if (negativeImage === undefined) return {...given, images: undefined, ...texts};
      return {...insteadOf(given, negativeImage), ...texts};
    }
  }
}

/** An image in the place of each whose tokens stand in a row; in the place of those that are combined, once. */
function insteadOf(
  {images, combine}: Omit<SampleCondition, 'negContentPrompt' | 'instruction'>,
  image: SourceImage,
) {
  const places = combine === 'concat' ? images : [image];
  return {images: places.map(() => image), imageWeights: places.map(() => 1), combine: 'concat'} as const;
}
