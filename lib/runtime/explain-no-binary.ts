/**
 * What to say, and to do, where no addon could be loaded.
 */
import path from 'node:path';
import {type OwnPackage, packageName} from './own-package.ts';
import {addonPackage, findInstalled, type Platform} from './platform-packages.ts';

/** @param problems what was tried, and what came of it */
export function explainNoBinary(own: OwnPackage, platform: Platform, problems: readonly string[]): string {
  const diagnosis = diagnose(own, platform, problems);
  const compile = `node ${path.join(own.folder, 'scripts', 'build-native.mjs')}`;
  return [
    `native addon: none could be loaded for ${describe(platform)}. Tried:`,
    ...problems.map(problem => `  - ${problem}`),
    ...diagnosis,
    `${diagnosis.length === 0 ? 'Compile it' : 'Or compile it'}, with a C++17 compiler and CMake: ${compile}`,
  ].join('\n');
}

function describe({os, cpu, libc, glibcVersion}: Platform): string {
  if (libc === undefined) return `${os}-${cpu}`;
  return `${os}-${cpu} with ${glibcVersion === undefined ? 'musl' : `glibc ${glibcVersion}`}`;
}

/** The likeliest cause with its remedy; nothing in a clone, which has no packages. */
function diagnose(own: OwnPackage, platform: Platform, problems: readonly string[]): string[] {
  if (own.platformPackages.length === 0) return [];
  const name = addonPackage(platform);
  if (platform.isTranslated) {
    return [
      'This Node.js was built for Intel and runs by Rosetta. Install Node.js for Apple silicon (arm64).',
    ];
  }
  if (!own.platformPackages.includes(name)) {
    return [`There is no package for this platform. Those are ${own.platformPackages.join(', ')}.`];
  }
  const installed = findInstalled(name, own.folder);
  if (installed === undefined) return [whyNotInstalled(own, platform), howToInstall(platform)];
  if (installed.version !== own.version) {
    return [
      `${name} is version ${installed.version}, but ${packageName} is ${own.version}: they must be equal.`,
      howToInstall(platform),
    ];
  }
  const needed = /GLIBC_(\d[\d.]*)' not found/.exec(problems.join('\n'))?.[1];
  if (needed !== undefined) {
    return [
      `The addon needs glibc ${needed} or newer (GLIBC_${needed}); this system has ${platform.glibcVersion}. ` +
        'Use a newer system or base image.',
    ];
  }
  return [`The addon of ${name} is there, but does not load. Install it anew.`];
}

function whyNotInstalled(own: OwnPackage, platform: Platform): string {
  const others = own.platformPackages.filter(other => findInstalled(other, own.folder) !== undefined);
  if (others.length === 0) {
    return (
      'The package for this platform is an optional dependency, and was left out: by --omit=optional, or by a ' +
      'lockfile that was written on another platform.'
    );
  }
  const otherLibc = addonPackage({...platform, libc: platform.libc === 'musl' ? 'glibc' : 'musl'});
  if (others.includes(otherLibc)) {
    const [theirs, ours] = platform.libc === 'musl' ? ['glibc', 'musl (Alpine Linux)'] : ['musl', 'glibc'];
    return `Installed is ${otherLibc}, for systems with ${theirs}; this one has ${ours}.`;
  }
  return `Installed is ${others.join(', ')}: node_modules comes from another machine, or from a Node.js for another processor.`;
}

function howToInstall({os, cpu, libc}: Platform): string {
  const here = `--os=${os} --cpu=${cpu}${libc === undefined ? '' : ` --libc=${libc}`}`;
  return (
    'Delete node_modules and the lockfile, and run npm install --include=optional on the system that runs it' +
    ` (elsewhere with ${here}).`
  );
}
