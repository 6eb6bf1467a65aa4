/**
 * From the reader's logits to the factors that it saw.
 */
import {
  type FactorGroup,
  type FactorName,
  factorClassLabels,
  factorGroups,
} from '../../datasets/world/factor-groups.ts';
import {NumericError, ShapeError} from '../../errors.ts';

export interface ReadFactor {
  /** The likeliest class of the group. */
  readonly label: string;
  /** Its share among the group's classes, by their softmax. */
  readonly probability: number;
}

/** Of every group, those that cannot apply to such a picture among them: see {@link shows}. */
export type ReadFactors = Readonly<Record<FactorName, ReadFactor>>;

/**
 * @param logits [B, K] as `factorReader` gives them
 * @returns one for each picture
 * @throws ShapeError for rows of another length, NumericError for a logit that is not finite
 */
export function readFactors(logits: Float32Array): ReadFactors[] {
  const count = factorClassLabels.length;
  if (logits.length % count !== 0) {
    throw new ShapeError(
      `readFactors: expected rows of ${count} logits, got ${logits.length} numbers. ` +
        'Is the factor reader of this version?',
    );
  }
  if (!logits.every(Number.isFinite)) {
    throw new NumericError(
      'readFactors: expected finite logits, got NaN or infinity. Are the pictures finite?',
    );
  }
  return Array.from({length: logits.length / count}, (_, row) => {
    const ofPicture = logits.subarray(row * count, (row + 1) * count);
    return Object.fromEntries(factorGroups.map(group => [group.name, likeliest(group, ofPicture)])) as Record<
      FactorName,
      ReadFactor
    >;
  });
}

/** Whether a picture in which this was read shows a class: a portrait shows no kind of object, whatever was read of it. */
export function shows(read: ReadFactors, name: FactorName, label: string): boolean {
  const {pictureType} = factorGroups.find(group => group.name === name)!;
  return read[name].label === label && (pictureType ?? read.type.label) === read.type.label;
}

function likeliest({classes, offset}: FactorGroup, logits: Float32Array): ReadFactor {
  const scores = logits.subarray(offset, offset + classes.length);
  const largest = Math.max(...scores);
  const total = scores.reduce((sum, score) => sum + Math.exp(score - largest), 0);
  return {label: classes[scores.indexOf(largest)]!, probability: 1 / total};
}
