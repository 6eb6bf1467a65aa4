/**
 * The paper's filter between tasks: an instruction that names what another task takes would blur the two
 * (Rowles et al. 2024, §3.4).
 */
import {type InstructedTask, instructedTasks, paperTasks} from './tasks.ts';

const keywords: Readonly<Record<InstructedTask, readonly string[]>> = {
  replication: ['everything'],
  style: ['style'],
  composition: ['composition'],
  object: ['object'],
  face: ['face', 'identity'],
  colour: ['colour', 'color'],
  pose: ['pose'],
  foreground: ['foreground'],
  background: ['background'],
};

/**
 * What no instruction of a task may speak of. The paper's tasks are told apart from each other alone, since a style has
 * colours and an object a background; the further tasks from all.
 */
export function keywordsOfOthers(task: InstructedTask): string[] {
  const isOfPaper = paperTasks.some(name => name === task);
  const others = (isOfPaper ? paperTasks : instructedTasks).filter(name => name !== task);
  return others.flatMap(name => keywords[name]);
}

/** Keywords of other tasks in an instruction; also as parts of words, such as "face" in "surface". */
export function foreignKeywords(task: InstructedTask, instruction: string): string[] {
  const text = instruction.toLowerCase();
  return keywordsOfOthers(task).filter(word => text.includes(word));
}
