import {spawnSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {readdir, readFile, stat, symlink, writeFile} from 'node:fs/promises';
import type {IncomingMessage, ServerResponse} from 'node:http';
import {hostname} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {FileError} from '../../lib/errors.ts';
import {type DownloadOptions, downloadBlob} from '../../lib/hub/download-blob.ts';
import type {HubClientOptions} from '../../lib/hub/hub-client.ts';
import type {RepositoryFile} from '../../lib/hub/repository-files.ts';
import type {RetryEvent} from '../../lib/hub/retry.ts';
import {
  blobName,
  commit,
  cutAfter,
  fileUrl,
  quickClient,
  quickPolicy,
  sendFile,
  startHub,
  treeEntry,
} from '../_helpers/hub-server.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const path = 'model.safetensors';
const content = randomBytes(200_000);
const file: RepositoryFile = {
  path,
  size: content.length,
  gitSha1: treeEntry(path, content).oid,
  sha256: blobName(content),
};

/** Answers the request for the file that is the `index`-th. */
type Answer = (request: IncomingMessage, response: ServerResponse, index: number) => void;

interface Download {
  readonly folder: string;
  /** What the server was asked for: `''` for the whole file. */
  readonly ranges: () => string[];
  readonly retries: readonly RetryEvent[];
  readonly run: (options?: Partial<DownloadOptions>) => Promise<void>;
  /** The hashes of what is in the folder, by name. */
  readonly left: () => Promise<Record<string, string>>;
}

/** A download of the file from a server that answers as it is told. */
async function prepare(
  t: ExecutionContext,
  answer: Answer,
  options: Partial<HubClientOptions> = {},
): Promise<Download> {
  let index = 0;
  const hub = await startHub(t, {[path]: content}, (request, response) => answer(request, response, index++));
  const folder = await tempFolder(t);
  const retries: RetryEvent[] = [];
  return {
    folder,
    retries,
    ranges: () => hub.rangesOf(path),
    run: options_ =>
      downloadBlob(quickClient(hub.endpoint, options), file, {
        path: join(folder, blobName(content)),
        commit,
        onSize: () => undefined,
        onRetry: event => retries.push(event),
        ...options_,
      }),
    left: async () => {
      const names = (await readdir(folder)).sort();
      return Object.fromEntries(
        await Promise.all(names.map(async name => [name, blobName(await readFile(join(folder, name)))])),
      );
    },
  };
}

const whole = {[blobName(content)]: blobName(content)};
const partialName = `${blobName(content)}.ipai.incomplete`;

test('a cut connection is taken up where it was cut', async t => {
  const download = await prepare(t, (request, response, index) =>
    index === 0 ? cutAfter(response, content, 70_000) : sendFile(request, response, content),
  );
  let received = 0;
  await download.run({
    onSize: (_size, bytes) => {
      received += bytes;
    },
  });
  t.deepEqual(await download.left(), whole);
  t.is(received, content.length);
  const [first, second] = download.ranges();
  t.is(first, '');
  t.regex(second!, /^bytes=[1-9]\d*-$/);
  t.is(download.retries.length, 1);
});

test('a connection that is cut again and again is taken up as long as each brings something', async t => {
  const step = 25_000;
  const download = await prepare(t, (request, response) => {
    const from = Number(/\d+/.exec(request.headers.range ?? '0'));
    response.writeHead(request.headers.range ? 206 : 200, {
      'content-length': content.length - from,
      'content-range': `bytes ${from}-${content.length - 1}/${content.length}`,
    });
    response.write(content.subarray(from, from + step), () => {
      if (from + step >= content.length) response.end();
      else response.destroy();
    });
  });
  await download.run();
  t.deepEqual(await download.left(), whole);
  t.true(download.retries.length > 3);
});

test('a server that knows no ranges begins anew', async t => {
  const download = await prepare(t, (_request, response, index) => {
    if (index === 0) cutAfter(response, content, 70_000);
    else response.end(content);
  });
  const sizes: number[] = [];
  await download.run({onSize: size => sizes.push(size)});
  t.deepEqual(await download.left(), whole);
  t.true(sizes.slice(1).includes(0));
});

test('a server that knows no ranges and always cuts is given up; what came is kept', async t => {
  const download = await prepare(t, (_request, response) => cutAfter(response, content, 70_000));
  await t.throwsAsync(download.run(), {
    instanceOf: FileError,
    message: /^model\.safetensors: expected an answer of the hub, got none \(in 3 tries\).*is kept/,
  });
  t.deepEqual(Object.keys(await download.left()), [partialName]);
  const partial = await readFile(join(download.folder, partialName));
  t.true(partial.length > 0 && partial.equals(content.subarray(0, partial.length)));
});

test('a part of the file other than what was asked for is not taken', async t => {
  const download = await prepare(t, (request, response, index) => {
    if (index === 0) cutAfter(response, content, 70_000);
    else if (index > 1) sendFile(request, response, content);
    else {
      const from = 1000;
      response.writeHead(206, {'content-range': `bytes ${from}-${content.length - 1}/${content.length}`});
      response.end(content.subarray(from));
    }
  });
  await download.run();
  t.deepEqual(await download.left(), whole);
});

test('an answer without a length that ends early is taken up', async t => {
  const download = await prepare(t, (request, response, index) => {
    if (index > 0) return sendFile(request, response, content);
    response.write(content.subarray(0, 70_000));
    response.end();
  });
  await download.run();
  t.deepEqual(await download.left(), whole);
});

test('aborting leaves what came, and the next download goes on with it', async t => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const download = await prepare(t, (request, response, index) => {
    if (index > 0) return sendFile(request, response, content);
    response.writeHead(200, {'content-length': content.length});
    response.write(content.subarray(0, 70_000));
  });
  const onSize = (size: number) => {
    if (size >= 70_000) controller.abort(reason);
  };
  t.is(await t.throwsAsync(download.run({signal: controller.signal, onSize})), reason);
  t.deepEqual(await download.left(), {[partialName]: blobName(content.subarray(0, 70_000))});
  await download.run();
  t.deepEqual(await download.left(), whole);
  t.deepEqual(download.ranges(), ['', 'bytes=70000-']);
  t.deepEqual(download.retries, []);
});

test('aborting ends the pause before the next try', async t => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const download = await prepare(
    t,
    (_request, response) => response.writeHead(503, {'retry-after': '3600'}).end(),
    {retryPolicy: {...quickPolicy, longestRetryAfterSeconds: 4000}},
  );
  const run = download.run({signal: controller.signal, onRetry: () => controller.abort(reason)});
  t.is(await t.throwsAsync(run), reason);
  t.is(download.ranges().length, 1);
});

test('what a killed process has left is gone on with; what a living one writes is not touched', async t => {
  const download = await prepare(t, (request, response) => sendFile(request, response, content));
  const {pid: ended} = spawnSync(process.execPath, ['--version']);
  const nameOf = (pid: number) => `${blobName(content)}.ipai-${hostname()}-${pid}-0.incomplete`;
  await writeFile(join(download.folder, nameOf(ended)), content.subarray(0, 50_000));
  await writeFile(join(download.folder, nameOf(process.ppid)), content.subarray(0, 90_000));
  await download.run();
  t.deepEqual(download.ranges(), ['bytes=50000-']);
  t.deepEqual(await download.left(), {
    ...whole,
    [nameOf(process.ppid)]: blobName(content.subarray(0, 90_000)),
  });
});

for (const [what, partial, ranges] of [
  ['is damaged', Buffer.alloc(50_000), ['bytes=50000-', '']],
  ['is too long', Buffer.concat([content, content]), ['']],
  ['is as long as the file, and damaged', Buffer.alloc(content.length), ['']],
  ['is the whole file', content, []],
] as const) {
  test(`what an earlier download has left ${what}`, async t => {
    const download = await prepare(t, (request, response) => sendFile(request, response, content));
    await writeFile(join(download.folder, partialName), partial);
    await download.run();
    t.deepEqual(await download.left(), whole);
    t.deepEqual(download.ranges(), [...ranges]);
  });
}

test('other contents than the hub names are fetched once more', async t => {
  const download = await prepare(t, (request, response, index) =>
    sendFile(request, response, index === 0 ? randomBytes(content.length) : content),
  );
  await download.run();
  t.deepEqual(await download.left(), whole);
  t.regex(download.retries[0]!.reason, /^the contents have the hash [\da-f]{64}$/);
});

test('other contents twice are an error, and nothing of them is left', async t => {
  const other = randomBytes(content.length);
  const download = await prepare(t, (request, response) => sendFile(request, response, other));
  await t.throwsAsync(download.run(), {
    instanceOf: FileError,
    message: `model.safetensors: expected contents with the hash ${blobName(content)}, got ${blobName(other)}, twice. They are thrown away. The hub, or what lies between, gives a damaged file: try again later, or elsewhere.`,
  });
  t.deepEqual(await download.left(), {});
  t.deepEqual(download.ranges(), ['', '']);
});

test('a web page in place of the file leaves nothing', async t => {
  const page = '<!doctype html><p>Sign in</p>';
  const download = await prepare(t, (_request, response) =>
    response.setHeader('content-length', page.length).end(page),
  );
  await t.throwsAsync(download.run(), {
    instanceOf: FileError,
    message: /the server offers 29 bytes, not the 200000 of the file/,
  });
  t.deepEqual(await download.left(), {});
});

test('more than the file is not read to its end', async t => {
  const download = await prepare(t, (_request, response, index) => {
    if (index === 0) response.write(randomBytes(2 * content.length));
    else response.end(content);
  });
  await download.run();
  t.deepEqual(await download.left(), whole);
});

test('a server that is busy is asked again when it says', async t => {
  const waits = ['0', new Date(Date.now() - 1000).toUTCString()];
  const download = await prepare(t, (request, response, index) => {
    const wait = waits[index];
    if (wait === undefined) sendFile(request, response, content);
    else response.writeHead(429, {'retry-after': wait}).end();
  });
  await download.run();
  t.deepEqual(
    download.retries.map(({reason, waitSeconds}) => [reason, waitSeconds]),
    Array(2).fill(['the server answers 429 Too Many Requests', 0]),
  );
});

for (const [what, headers] of [
  ['Retry-After', {'retry-after': '3600'}],
  ['RateLimit', {ratelimit: '"resolvers";r=0;t=3600'}],
] as const) {
  test(`a server that asks for a long pause is not waited for: ${what}`, async t => {
    const download = await prepare(t, (_request, response) => response.writeHead(429, headers).end());
    await t.throwsAsync(download.run(), {
      instanceOf: FileError,
      message: /it asks to wait 1 h 0 min\): .* 429/,
    });
    t.is(download.ranges().length, 1);
  });
}

test('a server that fails is asked again, with longer pauses, and given up in the end', async t => {
  const download = await prepare(t, (_request, response) => response.writeHead(500).end());
  await t.throwsAsync(download.run(), {
    instanceOf: FileError,
    message: /in 3 tries\): the server answers 500 Internal Server Error/,
  });
  t.is(download.ranges().length, 3);
  const [first, second] = download.retries.map(({waitSeconds}) => waitSeconds);
  t.true(first! >= 0.005 && first! <= 0.01 && second! >= 0.01 && second! <= 0.02);
  t.deepEqual(await download.left(), {});
});

for (const [what, begin] of [
  ['before its answer', () => undefined],
  [
    'in the middle of the file',
    (response: ServerResponse) => {
      response.writeHead(200, {'content-length': content.length});
      response.write(content.subarray(0, 70_000));
    },
  ],
] as const) {
  test(`a server that falls silent ${what} is asked again`, async t => {
    const download = await prepare(
      t,
      (request, response, index) => (index === 0 ? begin(response) : sendFile(request, response, content)),
      // A busy machine may be silent for as long, more than once.
      {stallSeconds: 0.5, retryPolicy: {...quickPolicy, tries: 100}},
    );
    await download.run();
    t.deepEqual(await download.left(), whole);
    t.is(download.retries[0]!.reason, 'nothing came for 0.5 s');
  });
}

test('a server that is not there is told with its cause', async t => {
  const download = await prepare(t, () => undefined);
  const client = quickClient('http://127.0.0.1:9');
  const options = {path: join(download.folder, 'blob'), commit, onSize: () => undefined};
  await t.throwsAsync(downloadBlob(client, file, options), {
    instanceOf: FileError,
    message: /in 3 tries\): fetch failed \(.+\)\. Check the connection/,
  });
});

test("small files are checked by git's hash", async t => {
  const small = Buffer.from('{"a": 1}');
  const hub = await startHub(t, {'config.json': small});
  const folder = await tempFolder(t);
  const {oid: gitSha1} = treeEntry('config.json', small);
  const options = {path: join(folder, gitSha1), commit, onSize: () => undefined};
  const known = {path: 'config.json', size: small.length, gitSha1};
  await downloadBlob(quickClient(hub.endpoint), known, options);
  t.deepEqual(await readFile(options.path), small);
  await t.throwsAsync(
    downloadBlob(
      quickClient(hub.endpoint),
      {...known, gitSha1: 'a'.repeat(40)},
      {
        ...options,
        path: join(folder, 'a'),
      },
    ),
    {instanceOf: FileError, message: new RegExp(`got ${gitSha1}, twice`)},
  );
});

test('an empty file is not asked for', async t => {
  const empty = Buffer.alloc(0);
  const hub = await startHub(t, {empty});
  const target = join(await tempFolder(t), 'blob');
  const known = {path: 'empty', size: 0, gitSha1: blobName(empty)};
  await downloadBlob(quickClient(hub.endpoint), known, {path: target, commit, onSize: () => undefined});
  t.is((await stat(target)).size, 0);
  t.deepEqual(hub.rangesOf('empty'), []);
});

test('names with spaces, signs and letters of any script are asked for as they are', async t => {
  const name = 'a b/#1 100%?/größe.json';
  const small = Buffer.from('{}');
  const hub = await startHub(t, {}, (_request, response) => response.end(small));
  const target = join(await tempFolder(t), 'blob');
  const known = {path: name, size: small.length, gitSha1: blobName(small)};
  await downloadBlob(quickClient(hub.endpoint), known, {path: target, commit, onSize: () => undefined});
  t.is(decodeURIComponent(hub.requests[0]!.url!), fileUrl(name));
});

// Linux's /dev/full takes writes as a disk does that is full: each fails with ENOSPC. Here it is what an earlier
// download has left, which is gone on with.
(process.platform === 'linux' ? test : test.skip)('a disk that is full', async t => {
  const download = await prepare(t, (request, response) => sendFile(request, response, content));
  await symlink('/dev/full', join(download.folder, partialName));
  await t.throwsAsync(download.run(), {
    instanceOf: FileError,
    message:
      /expected room for 200 kB more, but [\d.]+ \wB are free \(ENOSPC: .*\)\. Make room, and go on with the same call/,
  });
  t.deepEqual(await download.left(), {});
  await download.run();
  t.deepEqual(await download.left(), whole);
});
