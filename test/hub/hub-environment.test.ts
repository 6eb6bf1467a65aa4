import {writeFile} from 'node:fs/promises';
import {homedir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {ArgumentError, FileError} from '../../lib/errors.ts';
import {
  defaultCacheFolder,
  defaultHubEndpoint,
  defaultToken,
  isOffline,
  stallSeconds,
} from '../../lib/hub/hub-environment.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const names = [
  'HF_ENDPOINT',
  'HF_HOME',
  'HF_HUB_CACHE',
  'HF_HUB_DOWNLOAD_TIMEOUT',
  'HF_HUB_OFFLINE',
  'HF_TOKEN',
  'HF_TOKEN_PATH',
  'HUGGINGFACE_HUB_CACHE',
  'HUGGING_FACE_HUB_TOKEN',
  'TRANSFORMERS_OFFLINE',
  'XDG_CACHE_HOME',
];

/** Sets these variables and no others. Tests that use it are serial. */
function setVariables(t: ExecutionContext, values: Readonly<Record<string, string>>): void {
  const before = {...process.env};
  for (const name of names) delete process.env[name];
  Object.assign(process.env, values);
  t.teardown(() => {
    for (const name of names) delete process.env[name];
    Object.assign(process.env, before);
  });
}

for (const [values, folder] of [
  [{}, join(homedir(), '.cache', 'huggingface', 'hub')],
  [{XDG_CACHE_HOME: '/x'}, '/x/huggingface/hub'],
  [{XDG_CACHE_HOME: '/x', HF_HOME: '/home'}, '/home/hub'],
  [{HF_HOME: '~/hf'}, join(homedir(), 'hf', 'hub')],
  [{HF_HOME: '/home', HUGGINGFACE_HUB_CACHE: '/old'}, '/old'],
  [{HF_HOME: '/home', HUGGINGFACE_HUB_CACHE: '/old', HF_HUB_CACHE: '/new'}, '/new'],
  [{HF_HUB_CACHE: '', HF_HOME: '/home'}, '/home/hub'],
] as const) {
  test.serial(`the cache folder with ${JSON.stringify(values)}`, t => {
    setVariables(t, values);
    t.is(defaultCacheFolder(), folder);
  });
}

test.serial('the token is that of the environment, or of the file', async t => {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'token'), 'of-file\n');
  setVariables(t, {HF_HOME: folder});
  t.is(await defaultToken(), 'of-file');
  process.env['HUGGING_FACE_HUB_TOKEN'] = 'of-old-name';
  t.is(await defaultToken(), 'of-old-name');
  process.env['HF_TOKEN'] = ' of-environment ';
  t.is(await defaultToken(), 'of-environment');
});

test.serial('there need not be a token, but its file must be one', async t => {
  const folder = await tempFolder(t);
  setVariables(t, {HF_HOME: folder});
  t.is(await defaultToken(), undefined);
  process.env['HF_TOKEN_PATH'] = folder;
  await t.throwsAsync(defaultToken(), {instanceOf: FileError, message: /expected the hub's access token/});
});

test.serial('endpoint, offline mode and timeout', t => {
  setVariables(t, {});
  t.is(defaultHubEndpoint(), 'https://huggingface.co');
  t.false(isOffline());
  t.is(stallSeconds(), 10);
  setVariables(t, {HF_ENDPOINT: 'http://hub', HF_HUB_OFFLINE: 'yes', HF_HUB_DOWNLOAD_TIMEOUT: '2.5'});
  t.is(defaultHubEndpoint(), 'http://hub');
  t.true(isOffline());
  t.is(stallSeconds(), 2.5);
  for (const text of ['0', '-1', 'soon', 'Infinity']) {
    process.env['HF_HUB_DOWNLOAD_TIMEOUT'] = text;
    t.throws(stallSeconds, {
      instanceOf: ArgumentError,
      message: /HF_HUB_DOWNLOAD_TIMEOUT: expected a number/,
    });
  }
});
