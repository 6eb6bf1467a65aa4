import {type AdapterTraits, resolveConditions} from '../../lib/pipelines/conditions.ts';
import type {GenerateOptions} from '../../lib/pipelines/generate-options.ts';
import {entryCount, resolveSamples} from '../../lib/pipelines/samples.ts';

/** Loaded adapters: one that reads instructions, one that does not, none. */
export const instruct: readonly AdapterTraits[] = [{readsInstruction: true}];
export const plus: readonly AdapterTraits[] = [{readsInstruction: false}];
export const none: readonly AdapterTraits[] = [];

export function resolved(options: GenerateOptions, adapters: readonly AdapterTraits[]) {
  const slots = resolveConditions(options, adapters, entryCount(options));
  return {slots, samples: resolveSamples(options, slots)};
}
