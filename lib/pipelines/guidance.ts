/**
 * Guidance: which predictions of the UNet are needed, and how they are combined.
 *
 * The released IPAdapter-Instruct combines four: with tokens(image, instruction, prompt) of the adapter,
 *
 * - full: prompt and tokens(image, instruction, prompt)
 * - everything: negative prompt and tokens(image, "everything", prompt)
 * - image-only: negative prompt and tokens(image, negative prompt, negative prompt)
 * - unconditional: negative prompt and tokens(no image, "", negative prompt)
 *
 * as ε = unconditional + I·(full − everything) + G·(everything − image-only) + M·(image-only − unconditional) with
 * the scales I (instruction), G (text) and M (image). Sorted by prediction, that is
 * I·full + (G − I)·everything + (M − G)·image-only + (1 − M)·unconditional, so that with the released defaults
 * I = G = 6 and M = 1 two of the four have the coefficient 0 and are never run.
 *
 * Simple guidance is ε = G·full + (1 − G)·unconditional (Ho & Salimans 2022, eq. 6).
 */
import {ArgumentError} from '../errors.ts';

export const guidanceModes = ['auto', 'simple', 'three-way'] as const;
/** How predictions are combined; `auto` chooses by the instruction. */
export type GuidanceMode = (typeof guidanceModes)[number];

export type BranchKind = 'full' | 'everything' | 'image-only' | 'unconditional';

export interface Branch {
  readonly kind: BranchKind;
  readonly coefficient: number;
}

export interface GuidanceScales {
  /** G: the text prompt's. */
  readonly guidanceScale: number;
  /** I: the instruction's; three-way only. */
  readonly instructGuidanceScale: number;
  /** M: the image's; three-way only. */
  readonly imageGuidanceScale: number;
}

/** `auto` is simple where the instruction names style, colour, everything or face, as in the released code. */
export function resolveGuidanceMode(mode: GuidanceMode, instruction: string): 'simple' | 'three-way' {
  if (mode !== 'auto') return mode;
  return /style|colou?r|everything|face|facial/i.test(instruction) ? 'simple' : 'three-way';
}

/** Composition and pose want less of the adapter: the released code takes 0.2 off its scale for them. */
export function resolveAdapterScale(scale: number, instruction: string | undefined): number {
  return instruction !== undefined && /composition|pose/i.test(instruction) ? scale - 0.2 : scale;
}

/**
 * The predictions to run, with their coefficients; those with coefficient 0 are left out. Coefficients sum to 1, so that
 * one at least remains.
 *
 * @param keepFull keeps `full` even at coefficient 0: guidance rescaling and attention maps read it
 */
export function guidanceBranches(
  mode: 'simple' | 'three-way',
  {guidanceScale: g, instructGuidanceScale: i, imageGuidanceScale: m}: GuidanceScales,
  {keepFull = false}: {readonly keepFull?: boolean} = {},
): Branch[] {
  const all: Branch[] =
    mode === 'simple'
      ? [
          {kind: 'full', coefficient: g},
          {kind: 'unconditional', coefficient: 1 - g},
        ]
      : [
          {kind: 'full', coefficient: i},
          {kind: 'everything', coefficient: g - i},
          {kind: 'image-only', coefficient: m - g},
          {kind: 'unconditional', coefficient: 1 - m},
        ];
  return all.filter(({kind, coefficient}) => coefficient !== 0 || (keepFull && kind === 'full'));
}

/**
 * Σ coefficient · prediction for one sample.
 *
 * @param predictions the UNet's outputs in the order of `branches`, equal in length
 * @param rescale φ of Lin et al. 2023, eq. 15–16: pulls the result's standard deviation towards that of `full`
 */
export function combineBranches(
  branches: readonly Branch[],
  predictions: readonly Float32Array[],
  rescale = 0,
): Float32Array {
  const length = predictions[0]?.length ?? 0;
  if (branches.length === 0 || predictions.length !== branches.length) {
    throw new ArgumentError(`guidance: expected ${branches.length} predictions, got ${predictions.length}.`);
  }
  const combined = new Float32Array(length);
  for (let element = 0; element < length; element++) {
    let sum = 0;
    for (let branch = 0; branch < branches.length; branch++) {
      sum += branches[branch]!.coefficient * predictions[branch]![element]!;
    }
    combined[element] = sum;
  }
  if (rescale === 0) return combined;
  const full = predictions[branches.findIndex(({kind}) => kind === 'full')]!;
  const factor = rescale * (standardDeviation(full) / standardDeviation(combined)) + (1 - rescale);
  return combined.map(value => value * factor);
}

/** With Bessel's correction, as `torch.std`. */
function standardDeviation(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}
