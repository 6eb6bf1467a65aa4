// The packages of compiled code: for whom each is, and which file it carries.

export const scope = '@ip-adapter-instruct';

/** The oldest glibc that released files run on. It is that of Node.js's own builds since version 20. */
export const glibcFloor = '2.28';

/**
 * `file` is the path below prebuilds/, as prebuildify names it; `main` the name inside the package. `maxMegabytes` bounds
 * the tarball: registries refuse more than about 200.
 */
export const platforms = [
  {
    name: 'linux-x64',
    what: 'the addon for Linux on x64, with glibc',
    limits: {os: ['linux'], cpu: ['x64'], libc: ['glibc']},
    file: 'linux-x64/ip-adapter-instruct.glibc.node',
  },
  {
    name: 'linux-arm64',
    what: 'the addon for Linux on arm64, with glibc',
    limits: {os: ['linux'], cpu: ['arm64'], libc: ['glibc']},
    file: 'linux-arm64/ip-adapter-instruct.glibc.node',
  },
  {
    name: 'linux-x64-musl',
    what: 'the addon for Linux on x64, with musl (Alpine Linux)',
    limits: {os: ['linux'], cpu: ['x64'], libc: ['musl']},
    file: 'linux-x64/ip-adapter-instruct.musl.node',
  },
  {
    name: 'darwin-arm64',
    what: 'the addon for macOS on Apple silicon',
    limits: {os: ['darwin'], cpu: ['arm64']},
    file: 'darwin-arm64/ip-adapter-instruct.node',
  },
].map(platform => ({...platform, main: 'ip_adapter_instruct.node', maxMegabytes: 20}));

/** Installed on purpose: nothing depends on it. */
export const cuda = {
  name: 'linux-x64-cuda',
  what: 'the CUDA kernels for Linux on x64, with glibc',
  limits: {os: ['linux'], cpu: ['x64'], libc: ['glibc']},
  file: 'linux-x64/libipai_cuda.so',
  main: 'libipai_cuda.so',
  maxMegabytes: 150,
};

/** Of the package itself: JavaScript, native sources, and a small trained model. */
export const mainMaxMegabytes = 60;
