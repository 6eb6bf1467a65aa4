import {randomBytes} from 'node:crypto';
import {lstat, mkdir, readdir, readFile, readlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {FileError} from '../../lib/errors.ts';
import {type PullOptions, pullModel, pullSnapshot} from '../../lib/hub/pull-model.ts';
import {RepositoryCache} from '../../lib/hub/repository-cache.ts';
import {
  blobName,
  commit,
  fileUrl,
  type HubServer,
  quickClient,
  refuse,
  repository,
  sendJson,
  startHub,
  startServer,
  treeEntry,
  treeUrl,
} from '../_helpers/hub-server.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const contents = {
  'model_index.json': Buffer.from('{}'),
  'unet/config.json': Buffer.from('{"in_channels": 4}'),
  'unet/diffusion_pytorch_model.safetensors': randomBytes(300_000),
  'unet/diffusion_pytorch_model.bin': randomBytes(2000),
  'vae/config.json': Buffer.from('{}'),
};
const usable = [
  'model_index.json',
  'unet/config.json',
  'unet/diffusion_pytorch_model.safetensors',
  'vae/config.json',
];

function pull({endpoint}: Pick<HubServer, 'endpoint'>, cacheFolder: string, options: PullOptions = {}) {
  return pullSnapshot(quickClient(endpoint), new RepositoryCache(cacheFolder, repository), options);
}

test("what the package can use is put into the cache as Python's tools lay it out", async t => {
  const [hub, folder] = [await startHub(t, contents), await tempFolder(t)];
  const pulled = await pull(hub, folder);
  t.deepEqual(pulled.files, usable);
  t.is(pulled.folder, join(folder, 'models--owner--model', 'snapshots', commit));
  t.is(await readFile(join(folder, 'models--owner--model', 'refs', 'main'), 'utf8'), commit);
  for (const [path, content] of Object.entries(contents)) {
    if (!usable.includes(path)) continue;
    const link = await readlink(join(pulled.folder, path));
    t.is(link, `${path.includes('/') ? '../' : ''}../../blobs/${blobName(content)}`);
    t.true((await readFile(join(pulled.folder, path))).equals(content));
  }
  // Two files with the same contents are one blob, which is asked for once.
  t.is((await readdir(join(folder, 'models--owner--model', 'blobs'))).length, 3);
  t.is(hub.rangesOf('model_index.json').length + hub.rangesOf('vae/config.json').length, 1);
});

test('what is there is not asked for again; a commit that is named, not even where it is', async t => {
  const [hub, folder] = [await startHub(t, contents), await tempFolder(t)];
  const first = await pull(hub, folder);
  const asked = hub.requests.length;
  t.deepEqual(await pull(hub, folder), first);
  t.is(hub.requests.length, asked + 1);
  const client = quickClient(hub.endpoint, {revision: commit});
  t.deepEqual(await pullSnapshot(client, new RepositoryCache(folder, repository), {}), first);
  t.is(hub.requests.length, asked + 1);
});

test('a snapshot of which a file is gone, or has another size, is completed', async t => {
  const [hub, folder] = [await startHub(t, contents), await tempFolder(t)];
  const {folder: snapshot} = await pull(hub, folder);
  const path = 'unet/diffusion_pytorch_model.safetensors';
  await writeFile(join(snapshot, path), 'damaged');
  await pull(hub, folder);
  t.true((await readFile(join(snapshot, path))).equals(contents[path]));
  t.true((await lstat(join(snapshot, path))).isSymbolicLink());
});

test('progress grows to the bytes of all files', async t => {
  const [hub, folder] = [await startHub(t, contents), await tempFolder(t)];
  const total = usable.reduce((bytes, path) => bytes + contents[path as keyof typeof contents].length, 0);
  let last = 0;
  await pull(hub, folder, {
    onProgress: ({doneBytes, totalBytes, receivedBytes}) => {
      t.is(totalBytes, total);
      t.true(doneBytes >= last && receivedBytes <= doneBytes);
      last = doneBytes;
    },
  });
  t.is(last, total);
});

test('offline, a snapshot is found if what is asked for is there', async t => {
  const [hub, cacheFolder] = [await startHub(t, contents), await tempFolder(t)];
  const offline = {cacheFolder, offline: true};
  await t.throwsAsync(pullModel(repository, offline), {
    instanceOf: FileError,
    message: /^offline: expected a snapshot of owner\/model, main, in .*Pull it once while online/,
  });
  const pulled = await pull(hub, cacheFolder, {files: ['unet']});
  t.deepEqual(await pullModel(repository, {...offline, files: ['unet/*.json', 'unet']}), pulled);
  t.deepEqual(await pullModel(repository, {...offline, files: ['unet'], revision: commit}), pulled);
  await t.throwsAsync(pullModel(repository, offline), {
    instanceOf: FileError,
    message: /^offline: expected model_index\.json, vae\/config\.json of/,
  });
});

test('offline, a cache of older tools is taken, which do not tell what a commit holds', async t => {
  const cacheFolder = await tempFolder(t);
  const folder = join(cacheFolder, 'models--owner--model');
  const snapshot = join(folder, 'snapshots', commit);
  await mkdir(join(snapshot, 'unet'), {recursive: true});
  await mkdir(join(folder, 'refs'));
  await writeFile(join(folder, 'refs', 'main'), commit);
  for (const name of ['config.json', 'diffusion_pytorch_model.safetensors']) {
    await writeFile(join(snapshot, 'unet', name), '');
  }
  const pulled = await pullModel(repository, {cacheFolder, offline: true});
  t.deepEqual(pulled, {
    folder: snapshot,
    commit,
    files: ['unet/config.json', 'unet/diffusion_pytorch_model.safetensors'],
  });
});

for (const [what, status, code, message] of [
  ['a repository that is not there', 401, 'RepoNotFound', /a repository owner\/model at .*private.*HF_TOKEN/],
  ['a revision that is not there', 404, 'RevisionNotFound', /a branch, a tag or a commit 'main'/],
  ['a gated repository', 403, 'GatedRepo', /gated.* Accept its terms at http:.*\/owner\/model.*HF_TOKEN/],
  ['what we do not know', 418, 'Teapot', /^owner\/model: .*got 418/],
] as const) {
  test(`${what} is told in a sentence, and not asked for twice`, async t => {
    const hub = await startHub(t, {}, (_request, response) => refuse(response, status, code));
    await t.throwsAsync(pull(hub, await tempFolder(t)), {instanceOf: FileError, message});
    t.is(hub.requests.length, 1);
  });
}

test('a token that the hub does not know is told as such', async t => {
  const hub = await startHub(t, {}, (_request, response) =>
    response.writeHead(401, {'x-error-message': 'Invalid credentials in Authorization header'}).end(),
  );
  const client = quickClient(hub.endpoint, {token: 'x'});
  const cache = new RepositoryCache(await tempFolder(t), repository);
  await t.throwsAsync(pullSnapshot(client, cache, {}), {
    instanceOf: FileError,
    message: /expected a valid token/,
  });
});

/** Answers each question for a list of files with `entries`. */
function listing(t: ExecutionContext, entries: unknown): Promise<HubServer> {
  return startHub(t, {}, (request, response, proceed) =>
    request.url === treeUrl() ? sendJson(response, entries) : proceed(),
  );
}

for (const path of [
  '../evil',
  'unet/../../evil',
  '/etc/evil',
  'unet\\..\\evil',
  'C:evil',
  'unet//x',
  '',
  '.',
  'x\0y',
]) {
  test(`a list with the path ${JSON.stringify(path)} is refused whole`, async t => {
    const hub = await listing(t, [
      treeEntry('config.json', Buffer.from('{}')),
      treeEntry(path, Buffer.from('evil')),
    ]);
    const folder = await tempFolder(t);
    await t.throwsAsync(pull(hub, folder), {
      instanceOf: FileError,
      message: /expected the hub's JSON, got other JSON/,
    });
    t.deepEqual(await readdir(folder), []);
  });
}

test('names of contents that are no hashes are refused', async t => {
  const entry = treeEntry('config.json', Buffer.from('{}'));
  for (const bad of [
    {...entry, oid: '../../evil'},
    {...entry, lfs: {oid: '../evil', size: 2}},
    {...entry, size: -1},
  ]) {
    const hub = await listing(t, [bad]);
    await t.throwsAsync(pull(hub, await tempFolder(t)), {
      instanceOf: FileError,
      message: /expected the hub's JSON/,
    });
  }
});

test('a web page in place of JSON, and a list without end, are refused', async t => {
  const page = await startServer(t, (_request, response) => response.end('<!doctype html><p>Sign in</p>'));
  await t.throwsAsync(pull({endpoint: page}, await tempFolder(t)), {
    instanceOf: FileError,
    message:
      /expected the hub's JSON, got a web page. Check HF_ENDPOINT, and whether the network asks to sign in/,
  });
  const endless = await startHub(t, {}, (request, response, proceed) => {
    if (!request.url!.startsWith(treeUrl())) return proceed();
    response.setHeader('link', `<${treeUrl(1).slice(1)}>; rel="next"`);
    sendJson(response, []);
  });
  await t.throwsAsync(pull(endless, await tempFolder(t)), {
    instanceOf: FileError,
    message: /at most 100 pages/,
  });
});

test('a token goes to the hub, and not along where it redirects to', async t => {
  const path = 'unet/diffusion_pytorch_model.safetensors';
  const tokens: (string | undefined)[] = [];
  const elsewhere = await startServer(t, (request, response) => {
    tokens.push(request.headers.authorization);
    response.end(contents[path]);
  });
  const hub = await startHub(t, contents, (request, response, proceed) => {
    if (request.url !== fileUrl(path)) return proceed();
    response.writeHead(302, {location: `${elsewhere}/signed`}).end();
  });
  const client = quickClient(hub.endpoint, {token: 'secret'});
  const {folder} = await pullSnapshot(client, new RepositoryCache(await tempFolder(t), repository), {});
  t.true((await readFile(join(folder, path))).equals(contents[path]));
  t.deepEqual(tokens, [undefined]);
  t.true(hub.requests.every(({headers}) => headers.authorization === 'Bearer secret'));
});

for (const [what, location, message] of [
  ['without end', '/again', /at most 10 redirects/],
  ['to what is no web address', 'file:///etc/passwd', /to an http address, got 'file:/],
  ['to nowhere', 'http://[', /to an http address/],
] as const) {
  test(`a redirect ${what} is refused`, async t => {
    const hub = await startHub(t, {}, (_request, response) => response.writeHead(302, {location}).end());
    await t.throwsAsync(pull(hub, await tempFolder(t)), {instanceOf: FileError, message});
  });
}

test('more than the disk has room for is not begun', async t => {
  const size = 2 ** 52;
  const entry = {...treeEntry('model.safetensors', randomBytes(2000)), size};
  const hub = await listing(t, [{...entry, lfs: {oid: 'a'.repeat(64), size}}]);
  await t.throwsAsync(pull(hub, await tempFolder(t)), {
    instanceOf: FileError,
    message: /expected 4504 TB of room for what is to be downloaded, but [\d.]+ \wB are free\. Make room/,
  });
  t.is(hub.rangesOf('model.safetensors').length, 0);
});

test('two that pull the same at once both have it whole', async t => {
  const [hub, folder] = [await startHub(t, contents), await tempFolder(t)];
  const [first, second] = await Promise.all([pull(hub, folder), pull(hub, folder)]);
  t.deepEqual(first, second);
  for (const path of usable) {
    t.true((await readFile(join(first.folder, path))).equals(contents[path as keyof typeof contents]));
  }
  const names = await readdir(join(folder, 'models--owner--model'), {recursive: true});
  t.deepEqual(
    names.filter(name => /incomplete|partial/.test(name)),
    [],
  );
});

test('the first file that fails ends the others', async t => {
  const hub = await startHub(t, contents, (request, response, proceed) => {
    if (request.url === fileUrl('unet/config.json')) return refuse(response, 404, 'EntryNotFound');
    // Never finished by itself.
    if (request.url === fileUrl('unet/diffusion_pytorch_model.safetensors'))
      return response.writeHead(200).flushHeaders();
    proceed();
  });
  const folder = await tempFolder(t);
  await t.throwsAsync(pull(hub, folder), {
    instanceOf: FileError,
    message: /^unet\/config\.json: expected the file in owner\/model, but it is not there/,
  });
  const refs = await readdir(join(folder, 'models--owner--model'));
  t.false(refs.includes('refs'));
});

test('names that are none are refused before anything is asked', async t => {
  const cacheFolder = await tempFolder(t);
  for (const name of ['', '..', 'a/../b', '/a/b', 'a/b/c', 'a--b/c', 'a\\b', '.hidden/x', 'a/b.git', 'ä/b']) {
    await t.throwsAsync(pullModel(name, {cacheFolder, offline: true}), {
      code: 'invalid-argument',
      message: /^repository: expected a name such as 'owner\/name'/,
    });
  }
  for (const revision of ['', '../x', 'a//b', 'a b', '/main', 'x\\y', 'HEAD~1']) {
    await t.throwsAsync(pullModel(repository, {cacheFolder, offline: true, revision}), {
      code: 'invalid-argument',
      message: /^revision: expected a branch, a tag or a commit/,
    });
  }
  t.deepEqual(await readdir(cacheFolder), []);
});
