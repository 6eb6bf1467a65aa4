/**
 * A line of a training set.
 */
import {z} from 'zod';

const text = z.string().max(10_000);

/** What `manifest.jsonl` has on each line, and what `KEY.json` has beside a shard's pictures. */
export const sampleFields = z.object({
  prompt: text,
  /** Names its pool of instructions, `instructions/TASK.txt`: of the paper's replication, style, object … or one's own. */
  task: z.string().regex(/^[\w-]{1,64}$/, 'a name of letters, digits, - and _'),
  /** Takes the place of "object" in the instruction of the task `object`. */
  objectName: text.optional(),
  /** What the condition image shows: for metrics alone. */
  conditionPrompt: text.optional(),
  /** All that the target shows, also what is to be taken from the condition: for teachers (`textTeacher`). */
  targetPrompt: text.optional(),
});

/** Where a picture's bytes lie: a file, or a part of one (a member of a tar shard). */
export interface ImageReference {
  readonly file: string;
  readonly part?: {readonly offset: number; readonly length: number};
}

/** A sample of a training set: its texts, and where its pictures lie. */
export interface DatasetSample extends z.infer<typeof sampleFields> {
  /** What the model is to make. */
  readonly target: ImageReference;
  /** What the adapter sees. */
  readonly condition: ImageReference;
  /** For messages: file and line, or shard and key. */
  readonly place: string;
}

/** Something that is left out, and why. */
export interface DatasetProblem {
  readonly place: string;
  readonly reason: string;
}
