/**
 * Pools of instructions, one a task, from templates of ours in place of a language model's sentences.
 */
import {TorchGenerator} from '../../schedulers/torch-generator.ts';
import {expandTemplate} from './grammar.ts';
import {foreignKeywords} from './keywords.ts';
import type {InstructedTask} from './tasks.ts';
import {templates} from './templates.ts';

/** Instructions for training, and others, in words that training never saw, to validate and test with. */
const poolSizes = {train: 1000, validation: 100, test: 100};

/** Keeps templates of many alternatives from crowding out the others. */
const largestShare = 200;

/** The instructions of a task for one split, the same in every call. */
export function instructionPool(task: InstructedTask, split: keyof typeof poolSizes): readonly string[] {
  const {train, validation, test} = poolSizes;
  const all = allInstructions(task);
  switch (split) {
    case 'train':
      return all.slice(0, train);
    case 'validation':
      return all.slice(train, train + validation);
    case 'test':
      return all.slice(train + validation, train + validation + test);
  }
}

/** Distinct sentences of all templates that pass the filter, mixed. */
function allInstructions(task: InstructedTask): string[] {
  const sentences = templates[task].flatMap((template, i) =>
    mixed(expandTemplate(template), i).slice(0, largestShare),
  );
  const distinct = [...new Set(sentences)];
  return mixed(
    distinct.filter(sentence => foreignKeywords(task, sentence).length === 0),
    0,
  );
}

function mixed(sentences: readonly string[], seed: number): string[] {
  return Array.from(new TorchGenerator(seed).randperm(sentences.length), i => sentences[i]!);
}
