/**
 * A folder of reference cases: `cases.json` says what each is, `cases/NAME.safetensors` holds its tensors.
 */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {z} from 'zod';
import {FileError} from '../../errors.ts';
import type {HostTensor} from '../../pipelines/host-tensor.ts';
import {readTensor} from '../../weights/read-tensor.ts';
import {readSafetensorsIndex} from '../../weights/safetensors.ts';

const caseSchema = z.looseObject({name: z.string(), kind: z.string()});

/** What all cases have; each kind's own settings are read where the kind is checked. */
export type ReferenceCase = z.output<typeof caseSchema>;

const folderSchema = z.looseObject({
  config: z.looseObject({inner_heads: z.int().positive().optional()}).default({}),
  cases: z.array(caseSchema),
});

export interface ReferenceFolder {
  readonly path: string;
  /** Attention heads of the adapters' resamplers, which no adapter file says. */
  readonly adapterHeads: number | undefined;
  readonly cases: readonly ReferenceCase[];
}

/** @throws FileError where there is no `cases.json`, or it is not what it should be */
export async function openReferenceFolder(path: string): Promise<ReferenceFolder> {
  const file = join(path, 'cases.json');
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new FileError(
      `${file}: expected the list of reference cases, but ${cause.message}. Check the folder.`,
      {cause},
    );
  });
  try {
    const {config, cases} = folderSchema.parse(JSON.parse(text));
    return {path, adapterHeads: config.inner_heads, cases};
  } catch (cause) {
    throw new FileError(
      `${file}: expected JSON with a list of cases, each with name and kind; got ${(cause as Error).message}`,
      {cause},
    );
  }
}

/** Tensors by name; asking for one that is missing is an error. */
export class ReferenceTensors {
  readonly #file: string;
  readonly #tensors: ReadonlyMap<string, HostTensor>;

  private constructor(file: string, tensors: ReadonlyMap<string, HostTensor>) {
    this.#file = file;
    this.#tensors = tensors;
  }

  static async read(file: string): Promise<ReferenceTensors> {
    const {tensors} = await readSafetensorsIndex(file);
    const entries = await Promise.all(
      [...tensors].map(async ([name, stored]): Promise<[string, HostTensor]> => {
        return [name, {shape: stored.shape, data: await readTensor(stored)}];
      }),
    );
    return new ReferenceTensors(file, new Map(entries));
  }

  get names(): readonly string[] {
    return [...this.#tensors.keys()];
  }

  find(name: string): HostTensor | undefined {
    return this.#tensors.get(name);
  }

  /** @throws FileError where the file has no such tensor */
  get(name: string): HostTensor {
    const tensor = this.#tensors.get(name);
    if (tensor !== undefined) return tensor;
    throw new FileError(`${this.#file}: expected a tensor '${name}', got ${this.names.join(', ')}.`);
  }
}
