/**
 * Which addon is loaded, and what is said where none is. Each case is an installation in a folder of its own.
 */
import {copyFile, mkdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {NoBinaryError} from '../../lib/errors.ts';
import {addonPath, loadFromPackages} from '../../lib/runtime/load-addon.ts';
import {ownPackage} from '../../lib/runtime/own-package.ts';
import {addonPackage, type Platform, thisPlatform} from '../../lib/runtime/platform-packages.ts';
import {installedPackages, scoped, version} from '../_helpers/installed-packages.ts';

const addonFile = 'ip_adapter_instruct.node';
const glibc: Platform = {os: 'linux', cpu: 'x64', libc: 'glibc', glibcVersion: '2.36'};
const musl: Platform = {os: 'linux', cpu: 'x64', libc: 'musl'};
const here = addonPackage(thisPlatform());

test('the addon comes from the package of the platform; one built in the package goes first', async t => {
  const {own, modules} = await installedPackages(t, {[here.split('/')[1]!]: version});
  const inPackage = path.join(modules, here, addonFile);
  await copyFile(addonPath(), inPackage);
  const fromPackage = loadFromPackages(own, thisPlatform());
  t.is(fromPackage.path, inPackage);
  t.is(typeof fromPackage.addon.systemInfo, 'function');

  const built = path.join(own.folder, 'build', 'Release', addonFile);
  await mkdir(path.dirname(built), {recursive: true});
  await copyFile(addonPath(), built);
  t.is(loadFromPackages(own, thisPlatform()).path, built);
});

test("what prebuildify has made inside the package serves where the platform's package is missing", async t => {
  const {own} = await installedPackages(t, {});
  const {os, cpu, libc} = thisPlatform();
  const name = `ip-adapter-instruct${libc === undefined ? '' : `.${libc}`}.node`;
  const file = path.join(own.folder, 'prebuilds', `${os}-${cpu}`, name);
  await mkdir(path.dirname(file), {recursive: true});
  await copyFile(addonPath(), file);
  t.is(loadFromPackages(own, thisPlatform()).path, file);
});

const failures: Record<string, {installed: Record<string, string>; platform: Platform; message: RegExp}> = {
  'the optional dependency was left out': {
    installed: {},
    platform: glibc,
    message:
      /for linux-x64 with glibc 2\.36\..*linux-x64: not installed\n.*--omit=optional, or by a lockfile/s,
  },
  'glibc, packages for musl': {
    installed: {'linux-x64-musl': version},
    platform: glibc,
    message: /Installed is \S+\/linux-x64-musl, for systems with musl; this one has glibc\.\n.*--libc=glibc/s,
  },
  'musl, packages for glibc': {
    installed: {'linux-x64': version},
    platform: musl,
    message:
      /linux-x64 with musl\..*Installed is \S+\/linux-x64, for systems with glibc; this one has musl \(Alpine Linux\)\.\n.*--os=linux --cpu=x64 --libc=musl/s,
  },
  'packages of another machine': {
    installed: {'darwin-arm64': version},
    platform: glibc,
    message: /Installed is \S+\/darwin-arm64: node_modules comes from another machine/,
  },
  'an Intel build of Node.js on Apple silicon': {
    installed: {'darwin-arm64': version},
    platform: {os: 'darwin', cpu: 'x64', isTranslated: true},
    message: /runs by Rosetta\. Install Node\.js for Apple silicon/,
  },
  'a platform without a package': {
    installed: {},
    platform: {os: 'freebsd', cpu: 'x64'},
    message:
      /for freebsd-x64\..*There is no package for this platform\. Those are @ip-adapter-instruct\/linux-x64, /s,
  },
  'another version': {
    installed: {'linux-x64': '1.2.2'},
    platform: glibc,
    message:
      /linux-x64: version 1\.2\.2, not 1\.2\.3\n.*linux-x64 is version 1\.2\.2, but ip-adapter-instruct is 1\.2\.3: they must be equal/s,
  },
  'a package without its file': {
    installed: {'linux-x64': version},
    platform: glibc,
    message:
      /ip_adapter_instruct\.node: not there\n.*The addon of \S+\/linux-x64 is there, but does not load/s,
  },
};

for (const [name, {installed, platform, message}] of Object.entries(failures)) {
  test(`${name}: the error says so and what to do`, async t => {
    const {own} = await installedPackages(t, installed);
    const error = t.throws(() => loadFromPackages(own, platform), {instanceOf: NoBinaryError, message});
    t.is(error.code, 'no-binary');
    t.true(error.message.endsWith(`node ${path.join(own.folder, 'scripts', 'build-native.mjs')}`));
  });
}

// Elsewhere there are no versions of symbols to ask for.
(process.platform === 'linux' && thisPlatform().libc === 'glibc' ? test : test.skip)(
  'a system whose glibc is too old is told the version that is needed',
  async t => {
    const {own, modules} = await installedPackages(t, {[here.split('/')[1]!]: version});
    const binary = await readFile(addonPath());
    // Asks for a version that no system has, by a change in the table of strings.
    const name = 'GLIBC_2.14';
    const at = binary.indexOf(`${name}\0`);
    t.true(at > 0);
    binary.write('GLIBC_7.14', at, 'latin1');
    await writeFile(path.join(modules, here, addonFile), binary);
    const platform = thisPlatform();
    t.throws(() => loadFromPackages(own, platform), {
      instanceOf: NoBinaryError,
      message: new RegExp(
        `The addon needs glibc 7\\.14 or newer \\(GLIBC_7\\.14\\); this system has ${platform.glibcVersion}\\. `,
      ),
    });
  },
);

test('what is no addon is told with what the loader says', async t => {
  const {own, modules} = await installedPackages(t, {[here.split('/')[1]!]: version});
  await writeFile(path.join(modules, here, addonFile), 'no binary');
  t.throws(() => loadFromPackages(own, thisPlatform()), {
    instanceOf: NoBinaryError,
    message: new RegExp(
      `${addonFile}: .*\\n.*The addon of ${scoped('')}\\S+ is there, but does not load`,
      's',
    ),
  });
});

test('a clone has no packages to speak of: it is told to compile', async t => {
  const {own} = await installedPackages(t, {});
  const {message} = t.throws(() => loadFromPackages({...own, platformPackages: []}, glibc));
  t.regex(message, /not there\nCompile it/);
  t.deepEqual(ownPackage()!.platformPackages, []);
});
