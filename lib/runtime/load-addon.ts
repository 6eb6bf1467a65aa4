/**
 * Finds and loads the compiled addon.
 */
import {existsSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {NoBinaryError} from '../errors.ts';
import type {Addon} from './addon.ts';
import {binaryPath} from './env.ts';

const packageName = 'ip-adapter-instruct';
const require = createRequire(import.meta.url);

interface LoadedAddon {
  readonly addon: Addon;
  readonly path: string;
}

let loaded: LoadedAddon | undefined;

/**
 * The addon, from the first of these places that has one: `IPAI_BINARY_PATH`, a local build, the platform's
 * package, the prebuilt binaries inside this package.
 *
 * @throws NoBinaryError when none has, or the one found does not load
 */
export function loadAddon(): Addon {
  loaded ??= findAddon();
  return loaded.addon;
}

/** The file that {@link loadAddon} loads. */
export function addonPath(): string {
  loaded ??= findAddon();
  return loaded.path;
}

function findAddon(): LoadedAddon {
  const forced = binaryPath();
  const tried: string[] = [];
  for (const place of forced === undefined ? places(packageRoot()) : [path.resolve(forced)]) {
    if (path.isAbsolute(place) && !existsSync(place)) {
      tried.push(`${place}: not there`);
      continue;
    }
    try {
      return {addon: require(place) as Addon, path: require.resolve(place)};
    } catch (error) {
      tried.push(`${place}: ${firstLine(error)}`);
    }
  }
  throw new NoBinaryError(explain(tried, forced !== undefined));
}

function places(root: string): string[] {
  const tuple = `${process.platform}-${process.arch}`;
  const libc = process.platform === 'linux' ? (isMusl() ? '.musl' : '.glibc') : '';
  return [
    path.join(root, 'build', 'Release', 'ip_adapter_instruct.node'),
    `@${packageName}/${tuple}${libc === '.musl' ? '-musl' : ''}`,
    path.join(root, 'prebuilds', tuple, `${packageName}${libc}.node`),
  ];
}

/** The folder of our package.json: two folders up from here in the sources, one from a bundle in dist/. */
function packageRoot(): string {
  for (let folder = path.dirname(fileURLToPath(import.meta.url)); ; folder = path.dirname(folder)) {
    const file = path.join(folder, 'package.json');
    if (existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).name === packageName) return folder;
    if (path.dirname(folder) === folder) {
      throw new NoBinaryError(
        `native addon: found no package.json of ${packageName} above ${fileURLToPath(import.meta.url)}. ` +
          'Keep the package outside of bundles, or set IPAI_BINARY_PATH to the .node file.',
      );
    }
  }
}

/** Node.js reports a glibc version wherever it runs on glibc. */
function isMusl(): boolean {
  const {header} = process.report.getReport() as unknown as {header: {glibcVersionRuntime?: string}};
  return header.glibcVersionRuntime === undefined;
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0]!;
}

function explain(tried: readonly string[], isForced: boolean): string {
  const list = tried.map(line => `  - ${line}`).join('\n');
  const fix = isForced
    ? 'Correct or unset IPAI_BINARY_PATH.'
    : [
        `Reinstall with optional dependencies (npm install --include=optional ${packageName}), or build it: in a clone`,
        'of the repository run `npm run build:native`, which needs CMake and a C++17 compiler.',
      ].join(' ');
  return `native addon: none could be loaded for ${process.platform}-${process.arch}. Tried:\n${list}\n${fix}`;
}
