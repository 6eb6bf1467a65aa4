/**
 * Finds the library that has the CUDA kernels.
 */
import {existsSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import {DeviceError} from '../errors.ts';
import {cudaLibrary} from './env.ts';
import {addonPath} from './load-addon.ts';

const fileName = 'libipai_cuda.so';
const require = createRequire(import.meta.url);

/**
 * Its path, from the first of these places that has one: `IPAI_CUDA_LIBRARY`, the addon's folder, the package for this
 * platform.
 *
 * @throws DeviceError when none has
 */
export function findCudaLibrary(): string {
  const forced = cudaLibrary();
  const packageName = `@ip-adapter-instruct/${process.platform}-${process.arch}-cuda`;
  const places =
    forced === undefined
      ? [path.join(path.dirname(addonPath()), fileName), inPackage(packageName)]
      : [path.resolve(forced)];
  const found = places.find(place => place !== undefined && existsSync(place));
  if (found !== undefined) return found;
  const tried = forced === undefined ? `${places[0]}, ${packageName}` : places[0];
  const fix =
    forced === undefined
      ? `Install that package, or build the library: in a clone of the repository run \`node scripts/build-cuda.mjs\`, ` +
        'which needs the CUDA toolkit.'
      : 'Correct or unset IPAI_CUDA_LIBRARY.';
  throw new DeviceError(`the CUDA library was not found (tried ${tried}). ${fix}`);
}

function inPackage(name: string): string | undefined {
  try {
    return path.join(path.dirname(require.resolve(`${name}/package.json`)), fileName);
  } catch {
    return undefined;
  }
}
