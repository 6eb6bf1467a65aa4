import {once} from 'node:events';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import test from 'ava';
import sharp from 'sharp';
import {ArgumentError, LanguageModelError, UnusableAnswerError} from '../../lib/errors.ts';
import {type OpenAiCompatibleOptions, openAiCompatible} from '../../lib/language/open-ai-compatible.ts';
import {
  chatServer,
  hangUp,
  never,
  type Reply,
  saying,
  withBody,
  withStatus,
} from '../_helpers/chat-server.ts';

// Of whoever runs the tests.
for (const name of ['OPENAI_BASE_URL', 'OPENAI_API_KEY', 'IPAI_LANGUAGE_MODEL']) delete process.env[name];

const key = 'sk-secret';
const prompt = 'Say something.';

function modelOf({baseUrl}: {readonly baseUrl: string}, options: OpenAiCompatibleOptions = {}) {
  return openAiCompatible({baseUrl, apiKey: key, model: 'small', ...options});
}

test('a prompt alone is sent as text, with the key in its header alone', async t => {
  const server = await chatServer(t, ' Something.\n');
  t.is(await modelOf(server, {temperature: 0.5}).complete({prompt}), 'Something.');
  const [{method, path, headers, body}] = server.requests as [(typeof server.requests)[0]];
  t.deepEqual([method, path, headers.authorization], ['POST', '/v1/chat/completions', `Bearer ${key}`]);
  t.deepEqual(body, {model: 'small', temperature: 0.5, messages: [{role: 'user', content: prompt}]});
});

test('pictures are sent as JPEG, made smaller where they are large', async t => {
  const server = await chatServer(t, 'Two pictures.');
  const picture = (width: number, height: number) => ({
    width,
    height,
    data: new Uint8Array(width * height * 3).fill(200),
  });
  await modelOf(server).complete({prompt, images: [picture(1024, 256), picture(20, 30)]});
  const [text, ...images] = server.requests[0]!.body.messages[0].content;
  t.deepEqual(text, {type: 'text', text: prompt});
  const sides = await Promise.all(
    images.map(async (part: {type: string; image_url: {url: string}}) => {
      t.is(part.type, 'image_url');
      const [, base64] = part.image_url.url.split('data:image/jpeg;base64,') as [string, string];
      const {width, height, format} = await sharp(Buffer.from(base64, 'base64')).metadata();
      return [width, height, format];
    }),
  );
  t.deepEqual(sides, [
    [512, 128, 'jpeg'],
    [20, 30, 'jpeg'],
  ]);
});

const passing: Readonly<Record<string, Reply>> = {
  'too many requests': withStatus(429, '{}', {'retry-after': '0'}),
  'a date to come back at': withStatus(429, '', {'retry-after': new Date().toUTCString()}),
  'an error of the server': withStatus(500, 'out of memory'),
  'garbage in place of JSON': withBody('<html>Bad gateway</html>'),
  'JSON that is no completion': withBody('{"error": {"message": "overloaded"}}'),
  'no choices': withBody('{"choices": []}'),
  'a hang-up in the middle': hangUp,
};

for (const [name, reply] of Object.entries(passing)) {
  test(`asks again after ${name}`, async t => {
    const server = await chatServer(t, reply, 'Something.');
    t.is(await modelOf(server).complete({prompt}), 'Something.');
    t.is(server.requests.length, 2);
    t.deepEqual(server.requests[0]!.body, server.requests[1]!.body);
  });
}

test('waits as long as the server says', async t => {
  const server = await chatServer(t, withStatus(503, '', {'retry-after': '1'}), 'Something.');
  const begin = performance.now();
  await modelOf(server).complete({prompt});
  t.true(performance.now() - begin >= 990);
});

test('does not wait an hour, and says so', async t => {
  const server = await chatServer(t, withStatus(429, 'quota', {'retry-after': '3600'}));
  const error = await t.throwsAsync(modelOf(server).complete({prompt}), {instanceOf: LanguageModelError});
  t.regex(error.message, /received 429 Too Many Requests: quota\. Asked once\..* again in 3600 seconds/);
  t.is(server.requests.length, 1);
});

test('gives up after maxRetries, with the last reason and without the key', async t => {
  const server = await chatServer(t, withStatus(500, `no\nluck with ${key}`));
  const error = await t.throwsAsync(modelOf(server, {maxRetries: 1}).complete({prompt}), {
    instanceOf: LanguageModelError,
    code: 'language-model',
  });
  t.is(
    error.message,
    `${server.baseUrl}/chat/completions: expected a completion but received 500 Internal Server Error: no luck with …. ` +
      'Asked 2 times. Look after the server, or ask again later, less often or with a longer timeout.',
  );
  t.is(server.requests.length, 2);
});

const staying: Readonly<Record<string, readonly [Reply, RegExp]>> = {
  'a wrong key': [withStatus(401, `Incorrect API key ${key}.`), /401 Unauthorized.*OPENAI_API_KEY/],
  'an unknown model': [withStatus(404, '{"error": "no such model"}'), /no such model.*model's name.*\/v1/],
  'pictures it cannot read': [withStatus(400), /received 400 Bad Request\. .*reads pictures/],
  'an answer of 10 MB': [
    response => response.end('x'.repeat(10 * 2 ** 20)),
    /at most 1048576 bytes, but more came/,
  ],
};

for (const [name, [reply, message]] of Object.entries(staying)) {
  test(`does not ask again after ${name}`, async t => {
    const server = await chatServer(t, reply, 'Something.');
    const error = await t.throwsAsync(modelOf(server).complete({prompt}), {
      instanceOf: LanguageModelError,
      message,
    });
    t.false(error.message.includes(key));
    t.is(server.requests.length, 1);
  });
}

const unusable: Readonly<Record<string, readonly [Reply, RegExp]>> = {
  'an empty answer': [saying('  \n'), /its answer is empty/],
  'no content': [saying(null), /its answer is empty/],
  'nothing but reasoning': [saying('<think>Let me\nsee.</think>\n'), /its answer is empty/],
  'a refusal': [saying(null, {}, {refusal: 'No,\nnever.'}), /it refused: No, never\./],
  'a filter': [saying('Some', {finish_reason: 'content_filter'}), /it refused/],
  'an answer that was cut off': [saying('Some', {finish_reason: 'length'}), /cut off.*limit of tokens/],
};

for (const [name, [reply, message]] of Object.entries(unusable)) {
  test(`tells ${name} from an answer`, async t => {
    const server = await chatServer(t, reply);
    await t.throwsAsync(modelOf(server).complete({prompt}), {
      instanceOf: UnusableAnswerError,
      code: 'answer-unusable',
      message,
    });
    t.is(server.requests.length, 1);
  });
}

test('takes reasoning that a server leaves in for none of the answer', async t => {
  const server = await chatServer(t, '<think>Let me\nsee.</think>\n\nSomething.');
  t.is(await modelOf(server).complete({prompt}), 'Something.');
});

test('a server that never answers is given up in time', async t => {
  const server = await chatServer(t, never);
  await t.throwsAsync(modelOf(server, {timeoutSeconds: 0.1, maxRetries: 1}).complete({prompt}), {
    instanceOf: LanguageModelError,
    message: /none came in 0\.1 seconds\. Asked 2 times/,
  });
});

test('so is one that stops in the middle of its answer', async t => {
  const server = await chatServer(t, response => response.writeHead(200).write('{"choices": ['));
  await t.throwsAsync(modelOf(server, {timeoutSeconds: 0.1, maxRetries: 0}).complete({prompt}), {
    message: /none came in 0\.1 seconds\. Asked once/,
  });
});

test('where nobody listens, the reason is told', async t => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  const model = modelOf({baseUrl: `http://127.0.0.1:${port}/v1`}, {maxRetries: 0});
  await t.throwsAsync(model.complete({prompt}), {
    instanceOf: LanguageModelError,
    message: /expected an answer, but .*ECONNREFUSED/,
  });
});

for (const [name, reply] of Object.entries({'an answer': never, 'the next try': withStatus(500)})) {
  test(`aborted while it waits for ${name}, it rejects with the signal's reason at once`, async t => {
    const controller = new AbortController();
    const server = await chatServer(t, response => {
      reply(response);
      setTimeout(() => controller.abort(reason), 20);
    });
    const reason = new Error('enough');
    const begin = performance.now();
    const answer = modelOf(server).complete({prompt, signal: controller.signal});
    t.is(await t.throwsAsync(answer), reason);
    t.true(performance.now() - begin < 5000);
    t.is(server.requests.length, 1);
  });
}

test('aborted before, it asks nobody', async t => {
  const server = await chatServer(t, 'Something.');
  const reason = new Error('enough');
  const answer = modelOf(server).complete({prompt, signal: AbortSignal.abort(reason)});
  t.is(await t.throwsAsync(answer), reason);
  t.is(server.requests.length, 0);
});

test('what no request can be made of is refused, and no secret is shown', t => {
  const fine = {baseUrl: 'http://localhost:8080/v1', model: 'small'};
  const refused: readonly (readonly [OpenAiCompatibleOptions, RegExp])[] = [
    [{model: 'small'}, /OPENAI_BASE_URL/],
    [{baseUrl: fine.baseUrl}, /IPAI_LANGUAGE_MODEL/],
    [{...fine, baseUrl: 'localhost:8080'}, /http or https/],
    [{...fine, baseUrl: `http://me:${key}@localhost/v1`}, /no user or password/],
    [{...fine, apiKey: `${key}\n`}, /line ends/],
    [{...fine, temperature: Number.NaN}, /temperature/],
    [{...fine, timeoutSeconds: 0}, /timeoutSeconds/],
    [{...fine, timeoutSeconds: 301}, /timeoutSeconds/],
    [{...fine, maxRetries: 0.5}, /maxRetries/],
  ];
  for (const [options, message] of refused) {
    const error = t.throws(() => openAiCompatible(options), {instanceOf: ArgumentError, message});
    t.false(error.message.includes(key));
  }
});

test.serial('URL, key and model come from the environment where no option gives them', async t => {
  const server = await chatServer(t, 'Something.');
  const variables = {
    OPENAI_BASE_URL: `${server.baseUrl}/`,
    OPENAI_API_KEY: key,
    IPAI_LANGUAGE_MODEL: 'large',
  };
  Object.assign(process.env, variables);
  t.teardown(() => {
    for (const name of Object.keys(variables)) delete process.env[name];
  });
  await openAiCompatible().complete({prompt});
  const [{path, headers, body}] = server.requests as [(typeof server.requests)[0]];
  t.deepEqual([path, headers.authorization, body.model], ['/v1/chat/completions', `Bearer ${key}`, 'large']);
});

test('the identity tells models apart, and holds no key', t => {
  const options = {baseUrl: 'http://localhost:8080/v1', model: 'small', apiKey: key};
  const {identity} = openAiCompatible(options);
  t.false(identity.includes(key));
  t.is(openAiCompatible({...options, apiKey: 'another'}).identity, identity);
  for (const other of [{model: 'large'}, {temperature: 0}, {baseUrl: 'http://localhost:8081/v1'}])
    t.not(openAiCompatible({...options, ...other}).identity, identity);
});
