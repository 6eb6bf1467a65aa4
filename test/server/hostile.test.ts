import {writeFile} from 'node:fs/promises';
import {createServer as createHttpServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {crc32, deflateSync, gzipSync} from 'node:zlib';
import {testProp} from '@fast-check/ava';
import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {decodeImage} from '../../lib/images/decode-image.ts';
import {encodePng} from '../../lib/images/write-image.ts';
import {createServer} from '../../lib/server/create-server.ts';
import type {ImageServer} from '../../lib/server/server-options.ts';
import {HeldPipeline} from '../_helpers/held-pipeline.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

let pipeline: HeldPipeline;
let server: ImageServer;

test.before(async () => {
  pipeline = await HeldPipeline.create();
  pipeline.release();
  server = await createServer({pipeline, maxUpload: 2 ** 20, maxPixels: 2 ** 20});
});

test.after.always(() => server.drain());

function post(payload: string | Buffer | object, type = 'application/json') {
  const headers = {'content-type': type};
  return server.app.inject({method: 'POST', url: '/v1/images', payload, headers});
}

function upload(bytes: Uint8Array) {
  return post({prompt: 'a', ipAdapterImage: Buffer.from(bytes).toString('base64')});
}

/** A server that counts who comes. */
function visitedServer(t: ExecutionContext) {
  let visits = 0;
  const http = createHttpServer((_, response) => {
    visits++;
    response.end();
  }).listen(0);
  t.teardown(() => http.close());
  const {port} = http.address() as AddressInfo;
  return {address: `http://127.0.0.1:${port}`, count: () => visits};
}

/** A PNG that claims any size, of rows that are not there. */
function pngOfSize(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const chunk = (type: string, data: Buffer) => {
    const content = Buffer.concat([Buffer.from(type), data]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    check.writeUInt32BE(crc32(content));
    return Buffer.concat([length, content, check]);
  };
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const rows = deflateSync(Buffer.alloc(1000));
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', rows),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

test('a picture that claims to be huge is refused before it is decoded', async t => {
  for (const [width, height] of [
    [16_000, 16_000],
    [60_000, 60_000],
    // More than the format allows.
    [2 ** 31 - 1, 1],
    [1025, 1024],
  ] as const) {
    const {statusCode, body} = await upload(pngOfSize(width, height));
    t.is(statusCode, 400);
    const {code, message} = JSON.parse(body).error;
    t.is(code, 'file-invalid');
    t.regex(message, /pixel limit|corrupt header/);
  }
});

test('what is no picture is refused', async t => {
  const whole = await encodePng({width: 64, height: 64, data: new Uint8Array(64 * 64 * 3).fill(7)});
  for (const bytes of [
    new Uint8Array(0),
    Buffer.from('not a picture'),
    whole.subarray(0, whole.length - 20),
    Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="1000000" height="1000000"/>'),
    gzipSync(
      Buffer.concat([Buffer.from('<svg xmlns="http://www.w3.org/2000/svg">'), Buffer.alloc(2 ** 27, ' ')]),
    ),
  ]) {
    const {statusCode, body} = await upload(bytes);
    t.is(statusCode, 400, body);
  }
  t.is((await upload(whole)).statusCode, 200);
});

test('a path or an address is no picture, and is not opened', async t => {
  const visited = visitedServer(t);
  const address = `${visited.address}/x.png`;
  const file = join(await tempFolder(t), 'x.png');
  await writeFile(file, await encodePng({width: 8, height: 8, data: new Uint8Array(192)}));
  for (const image of [file, pathToFileURL(file).href, address, '/etc/passwd', '/dev/zero', '////']) {
    for (const where of ['ipAdapterImage', 'unconditionalImage', 'image', 'maskImage', 'controlImage']) {
      t.is((await post({prompt: 'a', [where]: image})).statusCode, 400, `${where}: ${image}`);
    }
    t.is((await post({prompt: 'a', conditions: [{image, mask: image}]})).statusCode, 400);
  }
  t.is(visited.count(), 0);
});

test('an SVG shows nothing of other files and of the network', async t => {
  const visited = visitedServer(t);
  const {address} = visited;
  const red = new Uint8Array(192).map((_, index) => (index % 3 === 0 ? 255 : 0));
  const file = join(await tempFolder(t), 'red.png');
  await writeFile(file, await encodePng({width: 8, height: 8, data: red}));
  const {href} = pathToFileURL(file);
  const svg = (content: string, head = '') =>
    Buffer.from(
      `<?xml version="1.0"?>${head}<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8" ` +
        `xmlns:xlink="http://www.w3.org/1999/xlink">${content}</svg>`,
    );
  const image = (target: string) => `<image width="8" height="8" href="${target}" xlink:href="${target}"/>`;
  for (const bytes of [
    svg(image(href)),
    svg(image(file)),
    svg(image(`${address}/x.png`)),
    svg(`<use href="${href}#a"/><use href="${address}/x.svg#a"/>`),
    svg(
      `<style>@import url("${address}/x.css"); rect {fill: url("${href}#a")}</style><rect width="8" height="8" fill="white"/>`,
    ),
    svg(
      '<rect width="8" height="8" fill="white"/><text>&file;</text>',
      `<!DOCTYPE svg [<!ENTITY file SYSTEM "file:///etc/passwd">]>`,
    ),
    svg('&remote;', `<!DOCTYPE svg [<!ENTITY remote SYSTEM "${address}/entity">]>`),
    svg('', `<!DOCTYPE svg SYSTEM "${address}/svg.dtd">`),
  ]) {
    const {statusCode} = await upload(bytes);
    t.true(statusCode === 200 || statusCode === 400);
    if (statusCode === 400) continue;
    // Beside the background there is nothing.
    const {data} = await decodeImage(bytes);
    t.true(
      data.every(value => value === 255),
      bytes.toString(),
    );
  }
  t.is(visited.count(), 0);
});

test('entities that grow without end are refused', async t => {
  const entities = Array.from(
    {length: 12},
    (_, index) => `<!ENTITY e${index + 1} "${`&e${index};`.repeat(10)}">`,
  );
  const bytes = Buffer.from(
    `<!DOCTYPE svg [<!ENTITY e0 "aaaaaaaaaa">${entities.join('')}]>` +
      '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><text>&e12;</text></svg>',
  );
  t.is((await upload(bytes)).statusCode, 400);
});

test('a body over the limit is refused, whatever it is', async t => {
  const large = 'x'.repeat(2 ** 20 + 1);
  const {statusCode, body} = await post({prompt: large});
  t.is(statusCode, 413);
  t.is(JSON.parse(body).error.code, 'too-large');
  t.is((await post(large, 'multipart/form-data; boundary=b')).statusCode, 413);
});

test('bodies of other kinds, and broken ones, are refused', async t => {
  t.is((await post('a=b', 'application/x-www-form-urlencoded')).statusCode, 415);
  t.is((await post('{"prompt": ')).statusCode, 400);
  t.is((await post('{"prompt": "a", "__proto__": {"width": 64}}')).statusCode, 400);
  t.is((await post('['.repeat(1e5))).statusCode, 400);
  t.is((await post(`${'['.repeat(1e5)}${']'.repeat(1e5)}`)).statusCode, 400);
  t.is((await post(`{"prompt": "a", "controlGuidanceStart": [${'0,'.repeat(4e5)}0]}`)).statusCode, 400);
});

test('forms with parts that do not belong there are refused', async t => {
  const part = (name: string, value: string, file = '') =>
    `--b\r\ncontent-disposition: form-data; name="${name}"${file && `; filename="${file}"`}\r\n\r\n${value}\r\n`;
  const request = part('request', '{"prompt": "a"}');
  const form = (text: string, boundary = '; boundary=b') => post(text, `multipart/form-data${boundary}`);
  t.is((await form(`${request}--b--\r\n`)).statusCode, 200);
  for (const body of [
    '',
    request,
    `${part('request', 'a')}--b--`,
    `${part('request', '[]')}--b--`,
    `${request}${request}--b--`,
    `${request}${part('ipAdapterImage', 'text')}--b--`,
    `${request}${part('prompt', 'x', 'x')}--b--`,
    `${request}${part('__proto__', 'x', 'x')}--b--`,
    `${request}${part('image', 'x', 'x').repeat(2)}--b--`,
    `${part('image', 'x', 'x').repeat(100)}${request}--b--`,
    `--b\r\n\r\n--b--`,
  ]) {
    t.is((await form(body)).statusCode, 400, body.slice(0, 200));
  }
  t.is((await form(`${request}--b--`, '')).statusCode, 400);
});

const known = [
  'prompt',
  'instruction',
  'instructions',
  'ipAdapterImage',
  'conditions',
  'width',
  'seed',
  'eta',
  'padColor',
];
const field = fc.oneof(fc.constantFrom(...known), fc.string());

testProp(
  'no JSON is the fault of the server',
  [
    fc.oneof(
      fc.json(),
      fc.dictionary(field, fc.jsonValue()).map(value => JSON.stringify({prompt: 'a', ...value})),
    ),
  ],
  async (t, body) => {
    const {statusCode} = await post(body);
    t.true(statusCode === 200 || (statusCode >= 400 && statusCode < 500), body);
  },
  {numRuns: 200},
);

testProp(
  'no bytes are the fault of the server',
  [
    fc.uint8Array({maxLength: 400}),
    fc.constantFrom(
      'application/json',
      'multipart/form-data; boundary=b',
      'multipart/form-data',
      'image/png',
      'x',
    ),
  ],
  async (t, bytes, type) => {
    const {statusCode} = await post(Buffer.from(bytes), type);
    t.true(statusCode >= 400 && statusCode < 500);
  },
  {numRuns: 100},
);

testProp(
  'no upload is the fault of the server',
  [fc.uint8Array({maxLength: 400}), fc.nat(200), fc.nat(255)],
  async (t, bytes, place, value) => {
    const damaged = Buffer.from(pngOfSize(16, 16));
    damaged[place % damaged.length] = value;
    for (const picture of [bytes, damaged]) {
      const {statusCode} = await upload(picture);
      t.true(statusCode === 200 || statusCode === 400);
    }
  },
  {numRuns: 100},
);
