/**
 * Instructions in a language model's words, as the paper has them made (Rowles et al. 2024, §3.4).
 */
import {invalidArgument, UnusableAnswerError} from '../../errors.ts';
import type {CompletionRequest, LanguageModel} from '../../language/language-model.ts';
import {parseList} from '../../language/parse-list.ts';
import {isRefusal} from '../../language/refusal.ts';
import {foreignKeywords, keywordsOfOthers} from './keywords.ts';
import type {InstructedTask} from './tasks.ts';

/** How the writing can be watched and ended. */
export interface WriteInstructionsOptions {
  readonly signal?: AbortSignal;
  /** Called after each answer. */
  readonly onProgress?: (progress: {readonly done: number; readonly count: number}) => void;
}

/** In a row, of questions whose answers held nothing new. */
const mostFruitless = 5;

/** CLIP reads about as much: 77 tokens. What is longer is no instruction but an explanation. */
const longestInstruction = 300;

const taken: Readonly<Record<InstructedTask, string>> = {
  replication: 'everything',
  style: 'the style',
  composition: 'the composition',
  object: 'an object',
  face: 'the face or identity',
  colour: 'the colour',
  pose: 'the pose',
  foreground: 'the foreground',
  background: 'the background',
};

/**
 * Asks with the paper's query, again and again, until there are enough instructions that speak of no other task.
 *
 * @returns `count` instructions that differ in more than case and full stops, in the order of the answers
 * @throws UnusableAnswerError where five answers in a row held nothing new
 * @throws LanguageModelError where no answer is to be had
 */
export async function writeInstructions(
  model: LanguageModel,
  task: InstructedTask,
  count: number,
  {signal, onProgress}: WriteInstructionsOptions = {},
): Promise<string[]> {
  if (!Number.isInteger(count) || count < 1) throw invalidArgument('count', 'an integer of 1 or more', count);
  const prompt = queryFor(task);
  const found = new Map<string, string>();
  for (let [attempt, fruitless] = [0, 0]; found.size < count; attempt++) {
    const before = found.size;
    const {items, problem} = await askForList(model, {prompt, attempt, ...(signal && {signal})});
    for (const item of items.filter(line => isInstruction(task, line))) {
      const key = item.toLowerCase().replace(/[^\p{L}\p{N}]+$/u, '');
      if (!found.has(key)) found.set(key, item);
    }
    fruitless = found.size === before ? fruitless + 1 : 0;
    if (fruitless === mostFruitless) throw gaveUp(task, before, count, problem);
    onProgress?.({done: Math.min(found.size, count), count});
  }
  return [...found.values()].slice(0, count);
}

/** The paper's query, word by word; of the further tasks, in its manner. */
export function queryFor(task: InstructedTask): string {
  const words = keywordsOfOthers(task).join(', ');
  return `Generate ways to describe taking ${taken[task]} from an image of varying lengths, do not use the words ${words}`;
}

interface Answer {
  readonly items: readonly string[];
  /** Why there are none. */
  readonly problem?: UnusableAnswerError;
}

async function askForList(model: LanguageModel, request: CompletionRequest): Promise<Answer> {
  try {
    return {items: parseList(await model.complete(request))};
  } catch (error) {
    if (!(error instanceof UnusableAnswerError)) throw error;
    return {items: [], problem: error};
  }
}

function isInstruction(task: InstructedTask, item: string): boolean {
  const isSentence = item.includes(' ') && item.length <= longestInstruction && !isRefusal(item);
  return isSentence && foreignKeywords(task, item).length === 0;
}

function gaveUp(
  task: InstructedTask,
  found: number,
  count: number,
  problem: UnusableAnswerError | undefined,
) {
  return new UnusableAnswerError(
    `instructions of '${task}': expected ${count}, but after ${found} the last ${mostFruitless} answers had none that ` +
      `is new and speaks of no other task. ${problem?.message ?? 'Ask for fewer, or another model.'}`,
    {cause: problem},
  );
}
