// package.json of what is published.
import {cuda, scope} from './platforms.mjs';

/** Of a platform's package: its one file, and where that runs. */
export function platformManifest({name, what, limits, main}, {version, license, engines, repository}) {
  return {
    name: `${scope}/${name}`,
    version,
    description: `ip-adapter-instruct: ${what}`,
    license,
    ...(repository && {repository}),
    engines,
    ...limits,
    main,
    files: [main],
    // Yarn's Plug'n'Play keeps packages zipped; a library must be a file.
    preferUnplugged: true,
    publishConfig: {access: 'public'},
  };
}

/**
 * Of the package itself. The platforms' packages are named here alone, and not in the repository: `npm ci` in a clone
 * would look for versions that are not published yet.
 *
 * @param {{devDependencies: unknown, scripts: unknown, overrides: unknown, ava: unknown}} manifest the repository's
 * @param platformNames packages of the same version, for npm to choose from by what they say of os, cpu and libc
 */
export function mainManifest({devDependencies, scripts, overrides, ava, ...manifest}, platformNames) {
  const {peerDependencies, peerDependenciesMeta} = manifest;
  const optional = platformNames.map(name => [`${scope}/${name}`, manifest.version]);
  const cudaName = `${scope}/${cuda.name}`;
  return {
    ...manifest,
    optionalDependencies: Object.fromEntries(optional),
    // Never installed by itself, but where it is, npm wants this version.
    peerDependencies: {...peerDependencies, [cudaName]: manifest.version},
    peerDependenciesMeta: {...peerDependenciesMeta, [cudaName]: {optional: true}},
    publishConfig: {access: 'public'},
  };
}

/** README of a platform's package. */
export function platformReadme({name, what, main}) {
  return `# ${scope}/${name}\n\n\`${main}\`: ${what}, of \`ip-adapter-instruct\`.\n\n${
    name === cuda.name ? cudaReadme : addonReadme
  }\n`;
}

const addonReadme =
  'It comes with `ip-adapter-instruct`, as an optional dependency: there is no need to install it by hand.';

const cudaReadme = `Install it beside \`ip-adapter-instruct\` of the same version, on a machine with an NVIDIA GPU and driver:

\`\`\`sh
npm install ip-adapter-instruct ${scope}/${cuda.name}
npx ipai doctor --device cuda
\`\`\`

It contains NVIDIA's CUDA runtime, which is under NVIDIA's licence for the CUDA toolkit.`;
