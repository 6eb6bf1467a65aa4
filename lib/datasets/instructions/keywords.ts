/**
 * The paper's filter between tasks: an instruction that names what another task takes would blur the two
 * (Rowles et al. 2024, §3.4).
 */
import type {InstructedTask} from './templates.ts';

const keywords: Readonly<Record<InstructedTask, readonly string[]>> = {
  replication: ['everything'],
  style: ['style'],
  composition: ['composition'],
  object: ['object'],
  face: ['face', 'identity'],
};

/** Keywords of other tasks in an instruction; also as parts of words, such as "face" in "surface". */
export function foreignKeywords(task: InstructedTask, instruction: string): string[] {
  const text = instruction.toLowerCase();
  return Object.entries(keywords)
    .filter(([other]) => other !== task)
    .flatMap(([, words]) => words)
    .filter(word => text.includes(word));
}
