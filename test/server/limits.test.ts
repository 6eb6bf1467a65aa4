import {once} from 'node:events';
import type {AddressInfo} from 'node:net';
import {connect} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {createServer} from '../../lib/server/create-server.ts';
import type {ServerOptions} from '../../lib/server/server-options.ts';
import {eventsOf} from '../_helpers/event-stream.ts';
import {HeldPipeline} from '../_helpers/held-pipeline.ts';
import {until} from '../_helpers/until.ts';

const job = {prompt: 'a', height: 64, width: 64};

async function serve(t: ExecutionContext, options: Partial<ServerOptions> = {}) {
  const pipeline = await HeldPipeline.create();
  const lines: string[] = [];
  const log = {write: (line: string) => lines.push(line)};
  const server = await createServer({pipeline, batchSize: 1, maxDelay: 0, log, ...options});
  t.teardown(async () => {
    pipeline.release();
    await server.drain(0);
  });
  const post = (payload: object = job, headers: Record<string, string> = {}) =>
    server.app.inject({method: 'POST', url: '/v1/images', payload, headers});
  return {...server, pipeline, lines, post};
}

async function listen(t: ExecutionContext, options: Partial<ServerOptions> = {}) {
  const served = await serve(t, options);
  await served.app.listen({host: '127.0.0.1', port: 0});
  const {port} = served.app.server.address() as AddressInfo;
  return {...served, port, origin: `http://127.0.0.1:${port}`};
}

async function waiting(app: {inject(url: string): Promise<{body: string}>}): Promise<number> {
  return Number(/^ipai_jobs_waiting (\d+)$/m.exec((await app.inject('/metrics')).body)![1]);
}

test('more jobs than may wait are told for how long to stay away', async t => {
  const {app, pipeline, post} = await serve(t, {maxWaiting: 1});
  const made = post();
  await until(() => pipeline.prompts.length === 1);
  const waits = post({...job, prompt: 'b'});
  await until(async () => (await waiting(app)) === 1);
  const refused = await post({...job, prompt: 'c'});
  t.is(refused.statusCode, 429);
  t.is(refused.json().error.code, 'queue-full');
  t.is(refused.headers['retry-after'], '1');
  pipeline.release();
  t.deepEqual([(await made).statusCode, (await waits).statusCode], [200, 200]);
  // A batch is said to take 2.5 s.
  const several = await post({...job, instructions: ['a', 'b']});
  t.is(several.statusCode, 429);
  t.is(several.headers['retry-after'], '3');
  const events = await post({...job, instructions: ['a', 'b']}, {accept: 'text/event-stream'});
  t.is(events.statusCode, 429, 'a stream that is refused never begins');
});

test('of a server with keys, a client must know one', async t => {
  const {app, pipeline, post} = await serve(t, {apiKeys: ['first', 'second key']});
  pipeline.release();
  for (const authorization of [undefined, 'Bearer', 'Bearer third', 'Basic first', 'Bearer first ']) {
    const {statusCode, headers} = await post(job, authorization === undefined ? {} : {authorization});
    t.is(statusCode, 401, authorization);
    t.is(headers['www-authenticate'], 'Bearer');
  }
  for (const key of ['first', 'second key']) {
    t.is((await post(job, {authorization: `Bearer ${key}`})).statusCode, 200);
  }
  for (const [url, status] of Object.entries({
    '/': 200,
    '/page.js': 200,
    '/healthz': 200,
    '/readyz': 200,
    '/openapi.json': 200,
    '/metrics': 401,
    '/v1/info': 401,
    '/v1/../v1/info': 401,
  })) {
    t.is((await app.inject(url)).statusCode, status, url);
  }
});

test('what the limits allow is allowed', async t => {
  const {pipeline, post} = await serve(t, {maxSide: 2048, maxSteps: 2000});
  pipeline.release();
  const largest = {...job, height: 2048, width: 2048, numInferenceSteps: 2000, seed: Number.MAX_SAFE_INTEGER};
  const {statusCode, body} = await post(largest);
  t.is(statusCode, 200, body);
});

test('pages of other sites may not ask for pictures', async t => {
  const {pipeline, post} = await serve(t);
  pipeline.release();
  t.is((await post(job, {'sec-fetch-site': 'cross-site'})).statusCode, 403);
  t.is((await post(job, {'sec-fetch-site': 'same-origin'})).statusCode, 200);
});

test('without keys, no name is served that anybody may have pointed here', async t => {
  const {pipeline, post} = await serve(t);
  pipeline.release();
  for (const host of ['localhost:8080', '127.0.0.1:8080', '[::1]:8080', 'worker', 'gpu.local', '10.0.0.7']) {
    t.is((await post(job, {host})).statusCode, 200, host);
  }
  for (const host of ['pictures.example.com', '127.0.0.1.example.com:8080', 'notlocal.example']) {
    const {statusCode, body} = await post(job, {host});
    t.is(statusCode, 403, host);
    t.regex(body, /--api-key/);
  }
});

test('with a key, any name is served', async t => {
  const {pipeline, post} = await serve(t, {apiKeys: ['secret']});
  pipeline.release();
  const headers = {host: 'pictures.example.com', authorization: 'Bearer secret'};
  t.is((await post(job, headers)).statusCode, 200);
});

test('the job of a client that leaves is taken back, while it waits and while it is made', async t => {
  const {origin, pipeline, app} = await listen(t);
  const [first, second] = [new AbortController(), new AbortController()];
  const ask = ({signal}: AbortController, accept: string) =>
    fetch(`${origin}/v1/images`, {
      method: 'POST',
      body: JSON.stringify(job),
      headers: {'content-type': 'application/json', accept},
      signal,
    })
      .then(response => response.text())
      .catch(() => 'left');
  const answers = [ask(first, 'application/json')];
  await until(() => pipeline.prompts.length === 1);
  answers.push(ask(second, 'text/event-stream'));
  await until(async () => (await waiting(app)) === 1);
  second.abort();
  await until(async () => (await waiting(app)) === 0);
  t.is(pipeline.aborted, 0);
  first.abort();
  await until(() => pipeline.aborted === 1);
  t.deepEqual(await Promise.all(answers), ['left', 'left']);
  t.is(pipeline.prompts.length, 1);
  t.regex((await app.inject('/metrics')).body, /^ipai_requests_cancelled_total 2$/m);
});

test('a server that ends finishes its jobs and takes no others', async t => {
  const {app, pipeline, post, drain} = await serve(t);
  const made = post();
  await until(() => pipeline.prompts.length === 1);
  const drained = drain();
  t.is((await app.inject('/readyz')).statusCode, 503);
  t.is((await app.inject('/healthz')).statusCode, 200);
  const refused = await post();
  t.is(refused.statusCode, 503);
  t.is(refused.json().error.code, 'disposed');
  t.truthy(refused.headers['retry-after']);
  pipeline.release();
  await drained;
  t.is((await made).statusCode, 200);
});

test('a server that must end takes its jobs back', async t => {
  const {pipeline, post, drain} = await serve(t);
  const [json, events] = [post(), post(job, {accept: 'text/event-stream'})];
  await until(() => pipeline.prompts.length === 1);
  await drain(20);
  t.is((await json).statusCode, 503);
  t.deepEqual(
    eventsOf((await events).body).map(({event}) => event),
    ['queued', 'error'],
  );
  t.is(pipeline.aborted, 1);
});

test('while its model loads, a server is not ready', async t => {
  let load = (_: HeldPipeline) => {};
  const pipeline = new Promise<HeldPipeline>(resolve => {
    load = resolve;
  });
  const {app, post} = await serve(t, {pipeline});
  t.deepEqual((await app.inject('/readyz')).json(), {status: 'loading'});
  t.is((await post()).statusCode, 503);
  t.is((await app.inject('/v1/info')).statusCode, 503);
  const held = await HeldPipeline.create();
  held.release();
  load(held);
  await pipeline;
  t.is((await app.inject('/readyz')).statusCode, 200);
  t.is((await post()).statusCode, 200);
});

test('a model that cannot be loaded leaves a server that says so', async t => {
  const {app, post} = await serve(t, {pipeline: Promise.reject(new Error('no model'))});
  t.deepEqual((await app.inject('/readyz')).json(), {status: 'failed'});
  t.is((await post()).statusCode, 503);
});

test('of a mistake of its own the server tells the log all and the client nothing', async t => {
  const {pipeline, post, lines} = await serve(t);
  pipeline.release();
  const broken = await post({...job, prompt: 'broken'});
  t.is(broken.statusCode, 500);
  t.false(/secret|at .*\.ts/.test(broken.body));
  const {code, requestId} = broken.json().error;
  t.is(code, 'internal');
  const line = lines.map(text => JSON.parse(text)).find(({err}) => err !== undefined);
  t.is(line.reqId, requestId);
  t.is(line.err.message, 'secret of the house');
  t.is(broken.headers['x-request-id'], requestId);
});

test('a body that does not arrive is not waited for', async t => {
  const {port} = await listen(t, {requestTimeout: 200});
  const socket = connect(port, '127.0.0.1');
  socket.write(
    'POST /v1/images HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
  );
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text;
  });
  await once(socket, 'close');
  t.regex(answer, /^HTTP\/1\.1 408 /);
});
