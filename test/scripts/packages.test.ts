/**
 * What becomes packages: made of prebuilt files in a folder of its own, as a release makes them.
 */
import {execFile} from 'node:child_process';
import {appendFile, copyFile, mkdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {addonPath} from '../../lib/runtime/load-addon.ts';
import {addonPackage, thisPlatform} from '../../lib/runtime/platform-packages.ts';
import {oneAtATime} from '../_helpers/one-at-a-time.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** What a library is linked with is read of ELF files, which other systems do not have. */
const onLinux = process.platform === 'linux' ? test : test.skip;
const {os, cpu, libc} = thisPlatform();
const prebuilt = path.join(`${os}-${cpu}`, `ip-adapter-instruct${libc === undefined ? '' : `.${libc}`}.node`);

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function script(name: string, args: readonly string[], env?: Record<string, string>): Promise<Result> {
  const file = path.join(root, 'scripts', 'packages', name);
  return oneAtATime(
    () =>
      new Promise(resolve => {
        execFile(
          process.execPath,
          [file, ...args],
          {env: {...process.env, ...env}},
          (error, stdout, stderr) => resolve({code: error === null ? 0 : Number(error.code), stdout, stderr}),
        );
      }),
  );
}

/** A folder with this machine's addon as prebuildify leaves it. */
async function prebuilds(t: ExecutionContext): Promise<{folder: string; file: string}> {
  const folder = await tempFolder(t);
  const file = path.join(folder, prebuilt);
  await mkdir(path.dirname(file));
  await copyFile(addonPath(), file);
  return {folder, file};
}

test('packages have one version, name each other, and their sizes are printed', async t => {
  const {folder} = await prebuilds(t);
  const out = path.join(await tempFolder(t), 'packages');
  const {code, stdout, stderr} = await script('make-packages.mjs', ['--prebuilds', folder, '--out', out]);
  t.is(code, 0, stderr);

  const manifest = async (...folder: string[]) =>
    JSON.parse(await readFile(path.join(...folder, 'package.json'), 'utf8'));
  const repository = await manifest(root);
  const name = addonPackage(thisPlatform());
  const platform = await manifest(out, name.split('/')[1]!);
  t.like(platform, {
    name,
    version: repository.version,
    os: [os],
    cpu: [cpu],
    main: 'ip_adapter_instruct.node',
  });
  t.deepEqual(platform.libc, libc === undefined ? undefined : [libc]);
  t.is(platform.scripts, undefined);

  const main = await manifest(out, 'ip-adapter-instruct');
  t.deepEqual(main.optionalDependencies, {[name]: repository.version});
  const cuda = '@ip-adapter-instruct/linux-x64-cuda';
  t.deepEqual(main.peerDependencies, {...repository.peerDependencies, [cuda]: repository.version});
  for (const name of Object.keys(main.peerDependencies)) t.true(main.peerDependenciesMeta[name].optional);
  t.deepEqual(main.dependencies, repository.dependencies);
  t.is(main.scripts, undefined);
  t.is(repository.optionalDependencies, undefined);

  for (const packed of [name, 'ip-adapter-instruct']) {
    t.regex(
      stdout,
      new RegExp(`^${packed} +[\\d.]+ MB packed +[\\d.]+ MB unpacked, \\d+ files: \\S+\\.tgz$`, 'm'),
    );
  }
});

test('a package that is too big is refused', async t => {
  const {folder, file} = await prebuilds(t);
  // Above the 20 MB of an addon's package, and nothing that packs.
  const noise = new Uint32Array(6e6).map(() => Math.random() * 2 ** 32);
  await appendFile(file, new Uint8Array(noise.buffer));
  const out = path.join(await tempFolder(t), 'packages');
  const {code, stderr} = await script('make-packages.mjs', ['--prebuilds', folder, '--out', out]);
  t.is(code, 1);
  t.regex(stderr, /^ip-adapter-instruct-\S+\.tgz has 2\d\.\d MB, expected 20 at most\.$/m);
});

test('a release needs every platform, and a place of its sources', async t => {
  const {folder} = await prebuilds(t);
  const args = ['--prebuilds', folder, '--out', path.join(await tempFolder(t), 'packages'), '--release'];
  const place = {GITHUB_SERVER_URL: 'https://git.example', GITHUB_REPOSITORY: 'me/mine'};
  const incomplete = await script('make-packages.mjs', args, place);
  t.is(incomplete.code, 1);
  t.false(incomplete.stderr.includes(prebuilt));
  t.regex(incomplete.stderr, /linux-x64\/libipai_cuda\.so is not there\.$/m);
  const nowhere = await script('make-packages.mjs', args, {...place, GITHUB_REPOSITORY: ''});
  t.is(nowhere.code, 1);
  t.regex(nowhere.stderr, /^a release needs GITHUB_SERVER_URL and GITHUB_REPOSITORY\.$/m);
});

onLinux('the addon is linked with the C library alone', async t => {
  const {code, stdout, stderr} = await script('check-library.mjs', [addonPath()]);
  t.is(code, 0, stderr);
  t.true(stdout.startsWith(`${addonPath()}: `));
});

onLinux('a library that needs more than the C library, or a newer one, is refused', async t => {
  const newer = await script('check-library.mjs', ['--glibc', '2.1', addonPath()]);
  t.is(newer.code, libc === 'glibc' ? 1 : 0);
  if (libc === 'glibc') t.regex(newer.stderr, /needs glibc \d\.\d+, expected 2\.1 or older/);

  // Node.js itself is linked with the C++ library, in the builds for Linux.
  const foreign = await script('check-library.mjs', [process.execPath]);
  t.is(foreign.code, 1);
  t.regex(foreign.stderr, /is linked with .*libstdc\+\+\.so\.6.*, expected the C library alone/);

  const text = path.join(await tempFolder(t), 'text.node');
  await writeFile(text, 'no library');
  t.is((await script('check-library.mjs', [text])).code, 1);
});
