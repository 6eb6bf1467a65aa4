/**
 * What an instruction may ask to take from a picture.
 */

/** Of Rowles et al. 2024, §3.4. */
export const paperTasks = ['replication', 'style', 'object', 'composition', 'face'] as const;

/** What the released weights were trained with besides. */
export const furtherTasks = ['colour', 'pose', 'foreground', 'background'] as const;

/** All tasks that there are instructions of. */
export const instructedTasks = [...paperTasks, ...furtherTasks] as const;

export type PaperTask = (typeof paperTasks)[number];
export type FurtherTask = (typeof furtherTasks)[number];
/** One of `instructedTasks`. */
export type InstructedTask = (typeof instructedTasks)[number];
