/**
 * Samples in tar shards, named as WebDataset names them: KEY.target.EXT, KEY.condition.EXT and KEY.json side by side.
 */
import {open, stat} from 'node:fs/promises';
import {type DatasetProblem, type DatasetSample, sampleFields} from './dataset-sample.ts';
import {FileWindow} from './file-window.ts';
import {describeIssues, type ReadSamples} from './manifest.ts';
import {indexTar, type TarMember} from './tar-index.ts';

type Group = Map<string, TarMember>;

/** @throws FileError where the archive is damaged or truncated */
export async function readTarSamples(path: string): Promise<ReadSamples> {
  const handle = await open(path, 'r');
  try {
    const file = new FileWindow(handle);
    const groups = new Map<string, Group>();
    for (const member of await indexTar(file, path, (await stat(path)).size)) {
      const parts = /^(.*\/)?([^/.]+)\.([^/]+)$/.exec(member.name);
      if (parts === null) continue;
      const key = `${parts[1] ?? ''}${parts[2]}`;
      const group = groups.get(key) ?? new Map<string, TarMember>();
      groups.set(key, group.set(parts[3]!.split('.')[0]!, member));
    }
    const samples: DatasetSample[] = [];
    const problems: DatasetProblem[] = [];
    for (const [key, group] of groups) {
      const place = `${path}:${key}`;
      const json = group.get('json');
      const text = json === undefined ? '' : (await file.read(json.offset, json.length)).toString('utf8');
      const sample = parseGroup(path, group, text, place);
      if (typeof sample === 'string') problems.push({place, reason: sample});
      else samples.push(sample);
    }
    return {samples, problems};
  } finally {
    await handle.close();
  }
}

/** The sample, or why the group is none. */
function parseGroup(path: string, group: Group, json: string, place: string): DatasetSample | string {
  const missing = ['target', 'condition', 'json'].filter(part => !group.has(part));
  if (missing.length > 0) return `no ${missing.join(', no ')} of this key`;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return 'its .json is not JSON';
  }
  const parsed = sampleFields.safeParse(value);
  if (!parsed.success) return describeIssues(parsed.error);
  const reference = (part: string) => {
    const {offset, length} = group.get(part)!;
    return {file: path, part: {offset, length}};
  };
  return {...parsed.data, target: reference('target'), condition: reference('condition'), place};
}
