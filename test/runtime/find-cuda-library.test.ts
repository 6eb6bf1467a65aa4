/**
 * Which CUDA package serves, and what is said where none does.
 */
import path from 'node:path';
import test from 'ava';
import {DeviceError} from '../../lib/errors.ts';
import {cudaLibraryOfPackage} from '../../lib/runtime/find-cuda-library.ts';
import type {Platform} from '../../lib/runtime/platform-packages.ts';
import {installedPackages, scoped, version} from '../_helpers/installed-packages.ts';

const glibc: Platform = {os: 'linux', cpu: 'x64', libc: 'glibc', glibcVersion: '2.36'};
const beside = '/somewhere/libipai_cuda.so';

test('the library comes from the CUDA package of the same version', async t => {
  const {own, modules} = await installedPackages(t, {'linux-x64-cuda': version});
  t.is(
    cudaLibraryOfPackage(own, glibc, beside),
    path.join(modules, scoped('linux-x64-cuda'), 'libipai_cuda.so'),
  );
});

const failures: Record<string, {installed: Record<string, string>; platform: Platform; message: RegExp}> = {
  'no CUDA package': {
    installed: {},
    platform: glibc,
    message:
      /^the CUDA library was not found \(tried \/somewhere\/libipai_cuda\.so, @ip-adapter-instruct\/linux-x64-cuda\)\. Install the package \(npm install @ip-adapter-instruct\/linux-x64-cuda@1\.2\.3\)/,
  },
  'another version': {
    installed: {'linux-x64-cuda': '1.3.0'},
    platform: glibc,
    message:
      /^@ip-adapter-instruct\/linux-x64-cuda is version 1\.3\.0, but ip-adapter-instruct is 1\.2\.3: they must be equal\. Run npm install @ip-adapter-instruct\/linux-x64-cuda@1\.2\.3\.$/,
  },
  musl: {
    installed: {'linux-x64-cuda': version},
    platform: {os: 'linux', cpu: 'x64', libc: 'musl'},
    message: /It needs a system with glibc; this one has musl \(Alpine Linux\)\.$/,
  },
  'a platform without a CUDA package': {
    installed: {},
    platform: {os: 'darwin', cpu: 'arm64'},
    message: /There is no package with it for darwin-arm64\.$/,
  },
};

for (const [name, {installed, platform, message}] of Object.entries(failures)) {
  test(`${name}: the error says so and what to do`, async t => {
    const {own} = await installedPackages(t, installed);
    t.throws(() => cudaLibraryOfPackage(own, platform, beside), {instanceOf: DeviceError, message});
  });
}
