/**
 * What is left to chance about a sample: its timestep, the instruction, and which conditions are dropped.
 */
import {ArgumentError} from '../../errors.ts';
import type {TorchGenerator} from '../../schedulers/torch-generator.ts';
import {type TimestepBias, timestepAt} from './timestep-bias.ts';

/** Shares of samples that lose a condition. IP-Adapter's training drops each of the first three in 5 % of samples. */
export interface ConditionDropout {
  /** The text alone. */
  readonly text: number;
  /** The image, with its instruction, alone. */
  readonly image: number;
  readonly textAndImage: number;
  /** The instruction alone, which three-way guidance needs. */
  readonly instruction: number;
}

export const defaultDropout: ConditionDropout = {
  text: 0.05,
  image: 0.05,
  textAndImage: 0.05,
  instruction: 0.05,
};

export interface SampleChoices {
  readonly timestep: number;
  readonly instruction: string;
  readonly keepsText: boolean;
  readonly keepsImage: boolean;
}

export interface ChoiceOptions {
  readonly numTrainTimesteps: number;
  readonly timestepBias?: TimestepBias | undefined;
  readonly dropout: ConditionDropout;
  /** Instructions of the sample's task. */
  readonly instructions: readonly string[];
  /** Stands for the word "object" in the instruction, where it is given. */
  readonly objectName?: string | undefined;
}

/**
 * Draws in this order: timestep (uniform but for the bias), instruction (uniform), dropout.
 *
 * @throws ArgumentError where there is no instruction, or shares are no shares
 */
export function chooseForSample(generator: TorchGenerator, options: ChoiceOptions): SampleChoices {
  const {numTrainTimesteps, timestepBias, dropout, instructions, objectName} = options;
  checkDropout(dropout);
  if (instructions.length === 0) {
    throw new ArgumentError(
      'instructions: expected at least one for the task, got none. Add instructions/TASK.txt.',
    );
  }
  const [forTimestep, forInstruction, forDropout] = generator.rand([3]) as unknown as [
    number,
    number,
    number,
  ];
  const pick = instructions[Math.floor(forInstruction * instructions.length)]!;
  const named = nameObject(pick, objectName);
  const {text, image, textAndImage, instruction} = dropout;
  const isBelow = (...shares: number[]) => forDropout < shares.reduce((a, b) => a + b);
  const dropsBoth = isBelow(textAndImage);
  const dropsText = !dropsBoth && isBelow(textAndImage, text);
  const dropsImage = !dropsBoth && !dropsText && isBelow(textAndImage, text, image);
  const dropsInstruction =
    !isBelow(textAndImage, text, image) && isBelow(textAndImage, text, image, instruction);
  return {
    timestep: timestepAt(forTimestep, numTrainTimesteps, timestepBias),
    instruction: dropsInstruction ? '' : named,
    keepsText: !dropsBoth && !dropsText,
    keepsImage: !dropsBoth && !dropsImage,
  };
}

/** The instruction with the object's name, where there is one, in the place of the word "object". */
export function nameObject(instruction: string, objectName: string | undefined): string {
  return objectName === undefined ? instruction : instruction.replace(/\bobject\b/gi, objectName);
}

function checkDropout(dropout: ConditionDropout): void {
  const shares = Object.values(dropout);
  const total = shares.reduce((a, b) => a + b);
  if (shares.some(share => !(share >= 0)) || total > 1) {
    throw new ArgumentError(
      `dropout: expected shares of 0 or more that add up to 1 at the most, got ${JSON.stringify(dropout)}.`,
    );
  }
}
