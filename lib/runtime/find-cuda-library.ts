/**
 * Finds the library that has the CUDA kernels.
 */
import {existsSync} from 'node:fs';
import path from 'node:path';
import {DeviceError} from '../errors.ts';
import {cudaLibrary} from './env.ts';
import {addonPath} from './load-addon.ts';
import {type OwnPackage, ownPackage, packageName} from './own-package.ts';
import {cudaPackage, findInstalled, type Platform, thisPlatform} from './platform-packages.ts';

const libraryFile = 'libipai_cuda.so';

/**
 * Its path, from the first of these places that has one: `IPAI_CUDA_LIBRARY`, the addon's folder, the package for this
 * platform.
 *
 * @throws DeviceError when none has
 */
export function findCudaLibrary(): string {
  const forced = cudaLibrary();
  if (forced !== undefined) return forcedLibrary(path.resolve(forced));
  const beside = path.join(path.dirname(addonPath()), libraryFile);
  if (existsSync(beside)) return beside;
  const own = ownPackage();
  if (own === undefined) throw notFound(beside, 'Put it there, or set IPAI_CUDA_LIBRARY.');
  return cudaLibraryOfPackage(own, thisPlatform(), beside);
}

function forcedLibrary(file: string): string {
  if (existsSync(file)) return file;
  throw notFound(file, 'Correct or unset IPAI_CUDA_LIBRARY.');
}

/**
 * The library of the CUDA package that one installed copy of this package finds.
 *
 * @param tried where else it was looked for
 * @throws DeviceError
 */
export function cudaLibraryOfPackage(own: OwnPackage, platform: Platform, tried: string): string {
  if (platform.os !== 'linux' || platform.cpu !== 'x64') {
    throw notFound(tried, `There is no package with it for ${platform.os}-${platform.cpu}.`);
  }
  if (platform.libc === 'musl') {
    throw notFound(tried, 'It needs a system with glibc; this one has musl (Alpine Linux).');
  }
  const name = cudaPackage(platform);
  const installed = findInstalled(name, own.folder);
  const install = `npm install ${name}@${own.version}`;
  if (installed === undefined) {
    throw notFound(
      `${tried}, ${name}`,
      `Install the package (${install}) or, in a clone of the repository, build the library with the CUDA toolkit ` +
        '(node scripts/build-cuda.mjs).',
    );
  }
  if (installed.version !== own.version) {
    throw new DeviceError(
      `${name} is version ${installed.version}, but ${packageName} is ${own.version}: they must be equal. ` +
        `Run ${install}.`,
    );
  }
  return path.join(installed.folder, libraryFile);
}

function notFound(tried: string, remedy: string): DeviceError {
  return new DeviceError(`the CUDA library was not found (tried ${tried}). ${remedy}`);
}
