import type {InstructedTask} from './tasks.ts';

/** An instruction for each task, as its authors word them. */
export const exampleInstructions: Readonly<Record<InstructedTask, string>> = {
  replication: 'use everything from the image',
  style: 'use the style',
  object: 'use the object',
  composition: 'use the composition',
  face: 'use the face',
  colour: 'use the colours',
  pose: 'use the pose',
  foreground: 'use the foreground',
  background: 'use the background',
};
