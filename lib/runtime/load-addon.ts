/**
 * Finds and loads the compiled addon.
 */
import {existsSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import {NoBinaryError} from '../errors.ts';
import type {Addon} from './addon.ts';
import {binaryPath} from './env.ts';
import {explainNoBinary} from './explain-no-binary.ts';
import {type OwnPackage, ownPackage, packageName} from './own-package.ts';
import {addonPackage, findInstalled, type Platform, thisPlatform} from './platform-packages.ts';

const addonFile = 'ip_adapter_instruct.node';

export interface LoadedAddon {
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
  if (forced !== undefined) return loadForced(path.resolve(forced));
  const own = ownPackage();
  if (own !== undefined) return loadFromPackages(own, thisPlatform());
  throw new NoBinaryError(
    `native addon: expected the files of ${packageName} around its code, but that was bundled into another program. ` +
      `Leave the package out of the bundle (esbuild: --external:${packageName}; webpack: externals; Next.js: ` +
      'serverExternalPackages) and install it beside, or set IPAI_BINARY_PATH to the .node file.',
  );
}

function loadForced(file: string): LoadedAddon {
  const {addon, problem} = load(file);
  if (addon !== undefined) return {addon, path: file};
  throw new NoBinaryError(
    `native addon: ${file} could not be loaded: ${problem}. Correct or unset IPAI_BINARY_PATH.`,
  );
}

/**
 * The addon of one installed copy of this package.
 *
 * @throws NoBinaryError
 */
export function loadFromPackages(own: OwnPackage, platform: Platform): LoadedAddon {
  const problems: string[] = [];
  for (const file of places(own, platform, problems)) {
    const {addon, problem} = load(file);
    if (addon !== undefined) return {addon, path: file};
    problems.push(`${file}: ${problem}`);
  }
  throw new NoBinaryError(explainNoBinary(own, platform, problems));
}

/** Files to try, in turn; what speaks against the platform's package is added to `problems`. */
function* places(own: OwnPackage, platform: Platform, problems: string[]): Generator<string> {
  yield path.join(own.folder, 'build', 'Release', addonFile);
  const name = addonPackage(platform);
  const installed = findInstalled(name, own.folder);
  if (installed === undefined) problems.push(`${name}: not installed`);
  else if (installed.version === own.version) yield path.join(installed.folder, addonFile);
  else problems.push(`${name}: version ${installed.version}, not ${own.version}`);
  // As prebuildify names them.
  const libc = platform.libc === undefined ? '' : `.${platform.libc}`;
  yield path.join(own.folder, 'prebuilds', `${platform.os}-${platform.cpu}`, `${packageName}${libc}.node`);
}

function load(file: string): {addon: Addon; problem?: never} | {addon?: never; problem: string} {
  if (!existsSync(file)) return {problem: 'not there'};
  try {
    return {addon: createRequire(file)(file) as Addon};
  } catch (error) {
    const [line] = String(error instanceof Error ? error.message : error).split('\n', 1);
    // The system's loader begins with the file's name, but not always.
    return {problem: line!.replace(`${file}: `, '')};
  }
}
