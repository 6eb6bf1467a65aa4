/**
 * Which of a repository's files are downloaded.
 */
import {posix} from 'node:path';
import {FileError} from '../errors.ts';
import {componentFiles} from '../weights/open-weights.ts';

/** The folders beside a `model_index.json` that this package reads; a safety checker, for one, it does not. */
const components: readonly string[] = [
  'unet',
  'vae',
  'text_encoder',
  'tokenizer',
  'scheduler',
  'image_encoder',
  'instruction_encoder',
  'controlnet',
];

export interface Selection {
  /** Files, folders and globs. Default: what this package can use. */
  readonly files?: readonly string[] | undefined;
  /** Globs of what is left out. */
  readonly exclude?: readonly string[] | undefined;
  /** Which weights are taken of a model that has several. Default: those of full precision. */
  readonly variant?: 'fp16' | undefined;
}

interface Listed {
  readonly path: string;
}

/**
 * Of a file that is named, the file; of a glob, whatever it matches; of a folder, and of the whole where nothing is
 * named, what this package can use: configurations, vocabularies, and of each model's weights the form that it would
 * load. A folder that has nothing of the kind is taken as it is.
 *
 * @throws FileError for a name that the repository has nothing for, or where nothing is left
 */
export function selectFiles<File extends Listed>(
  files: readonly File[],
  {files: names = [], exclude = [], variant}: Selection,
): File[] {
  const chosen = new Set(
    names.length === 0
      ? usableFiles(files, variant)
      : names.flatMap(name => filesNamed(name, files, variant)),
  );
  const excluded = exclude.map(globPattern);
  const selected = files.filter(file => chosen.has(file) && !excluded.some(glob => glob.test(file.path)));
  if (selected.length > 0) return selected;
  throw new FileError(
    `files: expected some that this package can use, or that are named, got none; there is ${describe(files)}.`,
  );
}

function filesNamed<File extends Listed>(
  name: string,
  files: readonly File[],
  variant: Selection['variant'],
): File[] {
  const file = files.find(({path}) => path === name);
  if (file !== undefined) return [file];
  const folder = name.replace(/\/*$/, '/');
  const inFolder = files.filter(({path}) => path.startsWith(folder));
  const usable = usableFiles(inFolder, variant);
  if (inFolder.length > 0) return usable.length > 0 ? usable : inFolder;
  const glob = globPattern(name);
  const matching = files.filter(({path}) => glob.test(path));
  if (matching.length > 0) return matching;
  throw new FileError(
    `files: expected a file, folder or glob of the repository, got '${name}'; there is ${describe(files)}.`,
  );
}

function usableFiles<File extends Listed>(files: readonly File[], variant: Selection['variant']): File[] {
  const folders = new Map<string, File[]>();
  for (const file of files) {
    const folder = posix.dirname(file.path);
    const members = folders.get(folder);
    if (members === undefined) folders.set(folder, [file]);
    else members.push(file);
  }
  const paths = new Set(files.map(({path}) => path));
  const isPipeline = (folder: string) => paths.has(posix.join(folder, 'model_index.json'));
  return [...folders].flatMap(([folder, members]) => {
    const isForeign = folder !== '.' && isPipeline(posix.dirname(folder));
    if (isForeign && !components.includes(posix.basename(folder))) return [];
    const configs = members.filter(({path}) => /\.(json|txt)$/.test(path) && !path.endsWith('.index.json'));
    // Beside a model_index.json lie the same weights again, for programs that read single files.
    return isPipeline(folder) ? configs : [...configs, ...usableWeights(members, variant)];
  });
}

/** A component's weights in the one form that is loaded; elsewhere, single files, torch's where there is no other. */
function usableWeights<File extends Listed>(files: readonly File[], variant: Selection['variant']): File[] {
  const byName = new Map(files.map(file => [posix.basename(file.path), file]));
  const component = preferredFiles(variant).find(name => byName.has(name));
  if (component !== undefined) {
    const shards = shardPattern(component);
    return [...byName].filter(([name]) => name === component || shards?.test(name)).map(([, file]) => file);
  }
  return [...byName]
    .filter(([name]) => {
      const {name: stem, ext} = posix.parse(name);
      if (ext === '.safetensors') return true;
      return ['.bin', '.ckpt', '.pt', '.pth'].includes(ext) && !byName.has(`${stem}.safetensors`);
    })
    .map(([, file]) => file);
}

function preferredFiles(variant: Selection['variant']): readonly string[] {
  if (variant === undefined) return componentFiles;
  const rank = (name: string) => (name.includes('.bin') ? 2 : 0) + (name.includes(`.${variant}.`) ? 0 : 1);
  return [...componentFiles].sort((a, b) => rank(a) - rank(b));
}

/** Of the files that an index stands for: `model-00001-of-00002.safetensors`. */
function shardPattern(file: string): RegExp | undefined {
  const [, stem, format] = /^(\w+)\.(\w+)\.index\.json$/.exec(file) ?? [];
  return stem === undefined ? undefined : new RegExp(`^${stem}-\\d+-of-\\d+\\.${format}$`);
}

/** As for the hub's own tools, `*` and `?` match slashes too. */
function globPattern(glob: string): RegExp {
  const source = glob
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's');
}

function describe(files: readonly Listed[]): string {
  const shown = files.slice(0, 10).map(({path}) => path);
  const rest = files.length - shown.length;
  return `${shown.join(', ') || 'nothing'}${rest > 0 ? ` and ${rest} more` : ''}`;
}
