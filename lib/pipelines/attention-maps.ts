/**
 * Attention maps of conditions: where in a picture each of their tokens was attended, over the steps of a generation.
 */
import {ArgumentError} from '../errors.ts';
import {resizeBilinear, type Size} from '../images/resize-plane.ts';
import type {AdapterSchedule} from './adapter-schedule.ts';
import type {HostTensor} from './host-tensor.ts';
import type {Row} from './rows.ts';

/** Of the conditions that had a part in a step, in some of the rows. */
export interface StepMaps {
  /** Where these are among all. */
  readonly places: readonly number[];
  /** Their places among the slots. */
  readonly slots: readonly number[];
  /** Of each of them, by layer, then row. */
  readonly scales: readonly (readonly (readonly number[])[])[];
  /** By layer, then condition: softmax weights [rows, h', w', tokens]. */
  readonly maps: readonly (readonly HostTensor[])[];
}

interface LayerSum extends Size {
  /** [h', w', tokens] */
  readonly weights: Float64Array;
}

/** What a condition's layers sum up to, for one picture. */
interface ConditionSum {
  readonly layers: Map<number, LayerSum>;
  /** Pairs of a step and a layer. */
  count: number;
  tokens: number;
}

/**
 * Sums maps up over steps. Of guidance's branches the one with the prompt and the image counts; of steps and layers those in
 * which the condition's scale is not 0.
 */
export class AttentionMapSums {
  /** By sample: its row of the branch `full`. */
  readonly #fullRows: readonly number[];
  /** By sample, then slot. */
  readonly #sums: readonly Map<number, ConditionSum>[];

  /**
   * @param rows of which each sample has one of the branch `full`
   * @param schedules one for each slot of conditions
   * @throws ArgumentError where a condition never counts
   */
  constructor(rows: readonly Row[], schedules: readonly AdapterSchedule[], totalSteps: number) {
    this.#fullRows = [...rows.keys()].filter(row => rows[row]!.branch.kind === 'full');
    this.#sums = this.#fullRows.map(() => new Map());
    expectCounting(rows, this.#fullRows, schedules, totalSteps);
  }

  add({places, slots, scales, maps}: StepMaps): void {
    const ownRows = this.#fullRows.flatMap((place, sample) => {
      const row = places.indexOf(place);
      return row < 0 ? [] : {sample, row};
    });
    for (const [layer, ofLayer] of maps.entries()) {
      for (const [index, map] of ofLayer.entries()) {
        for (const {sample, row} of ownRows) {
          if (scales[index]![layer]![row] !== 0) addRow(this.#sumOf(sample, slots[index]!), layer, map, row);
        }
      }
    }
  }

  /**
   * A sample's maps, one for each condition that it has: [tokens, height, width], the mean over layers, brought to this size
   * bilinearly, and steps. At each position the tokens' shares sum to 1.
   */
  mapsOf(sample: number, size: Size): HostTensor[] {
    const slots = [...this.#sums[sample]!].sort(([a], [b]) => a - b);
    return slots.map(([, sum]) => meanOf(sum, size));
  }

  #sumOf(sample: number, slot: number): ConditionSum {
    const ofSample = this.#sums[sample]!;
    const sum = ofSample.get(slot) ?? {layers: new Map(), count: 0, tokens: 0};
    ofSample.set(slot, sum);
    return sum;
  }
}

function expectCounting(
  rows: readonly Row[],
  fullRows: readonly number[],
  schedules: readonly AdapterSchedule[],
  totalSteps: number,
): void {
  for (const [slot, schedule] of schedules.entries()) {
    const scales = Array.from({length: totalSteps}, (_, step) => schedule(step) ?? []).flat();
    const missing = fullRows.find(
      row => rows[row]!.tokens[slot] !== undefined && scales.every(layer => layer[row] === 0),
    );
    if (missing === undefined) continue;
    throw new ArgumentError(
      `attentionMaps: expected each condition to count in some step, but condition ${slot} of sample ` +
        `${rows[missing]!.sample} has a scale of 0 in all ${totalSteps}. Change its scale, start or end.`,
    );
  }
}

function addRow(sum: ConditionSum, layer: number, {shape, data}: HostTensor, row: number): void {
  const [, height, width, tokens] = shape as [number, number, number, number];
  const size = height * width * tokens;
  const known = sum.layers.get(layer) ?? {height, width, weights: new Float64Array(size)};
  const {weights} = known;
  for (let i = 0; i < size; i++) weights[i]! += data[row * size + i]!;
  sum.layers.set(layer, known);
  sum.count++;
  sum.tokens = tokens;
}

function meanOf({layers, count, tokens}: ConditionSum, size: Size): HostTensor {
  const pixels = size.height * size.width;
  const data = new Float32Array(tokens * pixels);
  for (let token = 0; token < tokens; token++) {
    const total = new Float64Array(pixels);
    for (const {weights, height, width} of layers.values()) {
      const plane = Float32Array.from(
        {length: height * width},
        (_, pixel) => weights[pixel * tokens + token]!,
      );
      for (const [pixel, value] of resizeBilinear(plane, {height, width}, size).entries())
        total[pixel]! += value;
    }
    data.set(
      total.map(value => value / count),
      token * pixels,
    );
  }
  return {shape: [tokens, size.height, size.width], data};
}
