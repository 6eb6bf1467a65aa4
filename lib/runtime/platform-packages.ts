/**
 * The packages that hold compiled code: one with the addon per platform, one with the CUDA library.
 */
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import os from 'node:os';
import path from 'node:path';

const scope = '@ip-adapter-instruct';

/** What decides which binary runs. */
export interface Platform {
  /** As `process.platform` has it. */
  readonly os: string;
  /** As `process.arch` has it: that of Node.js, which may be emulated. */
  readonly cpu: string;
  /** The C library, on Linux alone. */
  readonly libc?: 'glibc' | 'musl';
  /** Of glibc, as `2.36`. */
  readonly glibcVersion?: string;
  /** Whether Node.js was built for Intel and runs on Apple silicon, by Rosetta. */
  readonly isTranslated?: boolean;
}

export interface InstalledPackage {
  readonly folder: string;
  readonly version: string;
}

export function thisPlatform(): Platform {
  const {platform, arch} = process;
  if (platform === 'linux') {
    const glibcVersion = runningGlibc();
    return {os: platform, cpu: arch, ...(glibcVersion ? {libc: 'glibc', glibcVersion} : {libc: 'musl'})};
  }
  // Rosetta names its processor `VirtualApple`.
  const isTranslated = platform === 'darwin' && arch === 'x64' && /Apple/.test(os.cpus()[0]?.model ?? '');
  return {os: platform, cpu: arch, isTranslated};
}

/** Node.js reports a version wherever it runs on glibc. */
function runningGlibc(): string | undefined {
  // Node.js has the property since 20.13, its types not yet.
  const report = process.report as typeof process.report & {excludeNetwork: boolean};
  const {excludeNetwork} = report;
  // Else it would ask for the name of each address that the process is connected with, and wait.
  report.excludeNetwork = true;
  try {
    const {header} = report.getReport() as {header: {glibcVersionRuntime?: string}};
    return header.glibcVersionRuntime;
  } finally {
    report.excludeNetwork = excludeNetwork;
  }
}

/** The package that has the addon for a platform. */
export function addonPackage({os, cpu, libc}: Platform): string {
  return `${scope}/${os}-${cpu}${libc === 'musl' ? '-musl' : ''}`;
}

/** The package that has the CUDA library for a platform. */
export function cudaPackage({os, cpu}: Platform): string {
  return `${scope}/${os}-${cpu}-cuda`;
}

/** A package as code in `folder` would find it; undefined where it is not installed. */
export function findInstalled(name: string, folder: string): InstalledPackage | undefined {
  try {
    const manifest = createRequire(path.join(folder, 'package.json')).resolve(`${name}/package.json`);
    return {folder: path.dirname(manifest), version: JSON.parse(readFileSync(manifest, 'utf8')).version};
  } catch {
    return undefined;
  }
}
