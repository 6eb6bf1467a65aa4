import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {FileError} from '../errors.ts';

/**
 * A folder of the package's `assets`, from the sources and from the bundles.
 *
 * @throws FileError where it is not there
 */
export function assetFolder(name: string): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'assets', name))) {
    const parent = dirname(folder);
    if (parent === folder) {
      throw new FileError(`expected assets/${name} in the package, but it is not there. Reinstall it.`);
    }
    folder = parent;
  }
  return join(folder, 'assets', name);
}
