/**
 * An installation of this package and of its platform packages, in a folder of its own.
 */
import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import type {ExecutionContext} from 'ava';
import {type OwnPackage, packageName, readPackage} from '../../lib/runtime/own-package.ts';
import {tempFolder} from './temp-folder.ts';

export const version = '1.2.3';
export const platformPackages = ['linux-x64', 'linux-x64-musl', 'linux-arm64', 'darwin-arm64'].map(scoped);

/** The whole name of a platform package. */
export function scoped(name: string): string {
  return `@ip-adapter-instruct/${name}`;
}

/**
 * @param installed version of each platform package that is there, by its name without scope
 * @returns the package as the loader sees it, and the folder of node_modules
 */
export async function installedPackages(
  t: ExecutionContext,
  installed: Readonly<Record<string, string>>,
): Promise<{own: OwnPackage; modules: string}> {
  const modules = path.join(await tempFolder(t), 'node_modules');
  const write = async (name: string, manifest: object) => {
    await mkdir(path.join(modules, name), {recursive: true});
    await writeFile(path.join(modules, name, 'package.json'), JSON.stringify({name, ...manifest}));
  };
  const optionalDependencies = Object.fromEntries(platformPackages.map(name => [name, version]));
  await write(packageName, {version, optionalDependencies});
  for (const [name, ofPackage] of Object.entries(installed)) {
    await write(scoped(name), {version: ofPackage});
  }
  return {own: readPackage(path.join(modules, packageName))!, modules};
}
