/**
 * This package as it lies on the disk.
 */
import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

/** The name in package.json. */
export const packageName = 'ip-adapter-instruct';

export interface OwnPackage {
  /** Where package.json lies. */
  readonly folder: string;
  readonly version: string;
  /** Names of the optional dependencies. A clone has none: they are written when a release is packed. */
  readonly platformPackages: readonly string[];
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** This package; undefined where its code was bundled into another program, away from its files. */
export function ownPackage(): OwnPackage | undefined {
  // Bundlers that turn modules into CommonJS leave no address.
  if (!import.meta.url) return undefined;
  // Sources lie two folders below package.json, what is built of them one.
  for (let folder = path.dirname(fileURLToPath(import.meta.url)); ; folder = path.dirname(folder)) {
    const found = readPackage(folder);
    if (found !== undefined || path.dirname(folder) === folder) return found;
  }
}

/** The package of ours that lies in a folder. */
export function readPackage(folder: string): OwnPackage | undefined {
  const file = path.join(folder, 'package.json');
  if (!existsSync(file)) return undefined;
  const {name, version, optionalDependencies = {}} = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  if (name !== packageName) return undefined;
  return {folder, version, platformPackages: Object.keys(optionalDependencies)};
}
