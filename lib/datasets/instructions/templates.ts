import {furtherTemplates} from './further-templates.ts';
import {paperTemplates} from './paper-templates.ts';
import type {InstructedTask} from './tasks.ts';

export const templates: Readonly<Record<InstructedTask, readonly string[]>> = {
  ...paperTemplates,
  ...furtherTemplates,
};
