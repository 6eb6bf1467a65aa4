import {createHash, createHmac} from 'node:crypto';
import type {IncomingMessage, ServerResponse} from 'node:http';
import {buffer} from 'node:stream/consumers';
import test, {type ExecutionContext} from 'ava';
import {ArgumentError, FileError} from '../../lib/errors.ts';
import {openPictureStorage} from '../../lib/jobs/open-picture-storage.ts';
import {runWorker} from '../../lib/jobs/redis/run-worker.ts';
import {sendJobs} from '../../lib/jobs/redis/send-jobs.ts';
import {startServer} from '../_helpers/hub-server.ts';
import {Painter, paintJob} from '../_helpers/painter.ts';
import {redisTest, startRedis} from '../_helpers/redis-server.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const secret = 'wJalrXUtnFEMI/K7MDENG';
const credentials = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: secret,
  AWS_SESSION_TOKEN: 'session',
  AWS_REGION: 'eu-test-1',
};
const names = [...Object.keys(credentials), 'AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL', 'AWS_DEFAULT_REGION'];

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

/** Signature Version 4, as AWS describes it, of a request without a query. */
function signatureOf({method, url, headers}: IncomingMessage, signed: string, scope: string): string {
  const canonical = [
    method,
    url,
    '',
    ...signed.split(';').map(name => `${name}:${headers[name]}`),
    '',
    signed,
    headers['x-amz-content-sha256'],
  ].join('\n');
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = scope.split('/').reduce((key: string | Buffer, part) => hmac(key, part), `AWS4${secret}`);
  return hmac(key, text).toString('hex');
}

/** Whether a request is signed as S3 wants it. */
function isSigned(request: IncomingMessage, body: Buffer): boolean {
  const {headers} = request;
  const form =
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]{64})$/;
  const [, scope, signed, signature] = form.exec(headers.authorization ?? '') ?? [];
  return (
    scope === `${(headers['x-amz-date'] as string).slice(0, 8)}/eu-test-1/s3/aws4_request` &&
    signed === 'host;x-amz-content-sha256;x-amz-date;x-amz-security-token' &&
    headers['x-amz-security-token'] === 'session' &&
    headers['x-amz-content-sha256'] === sha256(body) &&
    signature === signatureOf(request, signed, scope)
  );
}

interface Bucket {
  readonly objects: Map<string, Buffer>;
  readonly contentTypes: (string | undefined)[];
  /** Answers in the place of the bucket, as long as there are some. */
  readonly statuses: number[];
}

/** A store with one bucket, which the environment names until the test ends. */
async function startBucket(t: ExecutionContext): Promise<Bucket> {
  const bucket: Bucket = {objects: new Map(), contentTypes: [], statuses: []};
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await buffer(request);
    const status = bucket.statuses.shift();
    const stored = bucket.objects.get(request.url!);
    if (status !== undefined) response.writeHead(status).end();
    else if (!isSigned(request, body)) response.writeHead(403).end('SignatureDoesNotMatch');
    else if (request.method === 'PUT') {
      bucket.objects.set(request.url!, body);
      bucket.contentTypes.push(request.headers['content-type']);
      response.end();
    } else if (stored === undefined) response.writeHead(404).end();
    else response.end(stored);
  };
  const endpoint = await startServer(t, (request, response) => void answer(request, response));
  const before = Object.fromEntries(names.map(name => [name, process.env[name]]));
  for (const name of names) delete process.env[name];
  Object.assign(process.env, credentials, {AWS_ENDPOINT_URL_S3: `${endpoint}/`});
  t.teardown(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  return bucket;
}

test.serial('what is written is there, under the prefix, and signed', async t => {
  const {objects, contentTypes} = await startBucket(t);
  const storage = await openPictureStorage('s3://pictures/of/today/');
  t.is(await storage.read('a.png'), undefined);
  await storage.write('a.png', Uint8Array.of(1, 2));
  await storage.write('b.webp', Uint8Array.of(3));
  t.deepEqual([...objects.keys()], ['/pictures/of/today/a.png', '/pictures/of/today/b.webp']);
  t.deepEqual(contentTypes, ['image/png', 'image/webp']);
  t.deepEqual(await storage.read('a.png'), Uint8Array.of(1, 2));
});

test.serial('a store that is busy is asked again, one that refuses is not', async t => {
  const {objects, statuses} = await startBucket(t);
  const storage = await openPictureStorage('s3://pictures');
  statuses.push(503, 500);
  await storage.write('a.png', Uint8Array.of(1));
  t.true(objects.has('/pictures/a.png'));
  statuses.push(403, 404);
  await t.throwsAsync(storage.write('b.png', Uint8Array.of(1)), {
    instanceOf: FileError,
    message: /pictures\/b\.png: .*answered 403/,
  });
  t.is(statuses.length, 1);
});

test.serial('what cannot be a store is told at once', async t => {
  await startBucket(t);
  await t.throwsAsync(openPictureStorage('s3://'), {instanceOf: ArgumentError, message: /BUCKET/});
  delete process.env['AWS_SECRET_ACCESS_KEY'];
  await t.throwsAsync(openPictureStorage('s3://pictures'), {
    instanceOf: ArgumentError,
    message: /AWS_SECRET_ACCESS_KEY/,
  });
  Object.assign(process.env, {AWS_SECRET_ACCESS_KEY: secret, AWS_ENDPOINT_URL_S3: 'nowhere'});
  await t.throwsAsync(openPictureStorage('s3://pictures'), {instanceOf: ArgumentError, message: /nowhere/});
});

redisTest('a worker stores its pictures there, and makes none that is stored', async t => {
  const {objects} = await startBucket(t);
  const {url: queue} = await startRedis(t);
  const folder = await tempFolder(t);
  const painter = new Painter();
  const controller = new AbortController();
  const {signal} = controller;
  const working = runWorker(painter, {queue, output: 's3://pictures/p', batchSize: 2, signal});
  const jobs = ['a', 'b', 'c'].map((id, seed) => paintJob(id, {prompt: id, seed}));
  const lines = await sendJobs(jobs, {queue, folder});
  t.deepEqual([...objects.keys()].sort(), ['/pictures/p/a.png', '/pictures/p/b.png', '/pictures/p/c.png']);
  const again = await sendJobs(jobs, {queue, folder: await tempFolder(t)});
  t.deepEqual(again, lines);
  t.is(painter.prompts.length, 3);
  controller.abort();
  await working;
});
