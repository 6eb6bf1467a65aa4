import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {ArgumentError} from '../../lib/errors.ts';
import type {LanguageModel} from '../../lib/language/language-model.ts';
import {rateLimited} from '../../lib/language/rate-limited.ts';
import {scriptedModel} from '../_helpers/scripted-model.ts';

test('no more than so many at a time, and all in the end', async t => {
  let [running, most] = [0, 0];
  const model: LanguageModel = {
    identity: 'slow',
    async complete({prompt}) {
      most = Math.max(most, ++running);
      await sleep(5);
      running--;
      return prompt;
    },
  };
  const limited = rateLimited(model, {concurrency: 3});
  t.is(limited.identity, 'slow');
  const prompts = Array.from({length: 10}, (_, i) => `${i}`);
  t.deepEqual(await Promise.all(prompts.map(prompt => limited.complete({prompt}))), prompts);
  t.is(most, 3);
});

test('no more than so many in a minute; who is tired of waiting goes at once', async t => {
  const model = scriptedModel('yes');
  const limited = rateLimited(model, {perMinute: 2});
  await Promise.all([limited.complete({prompt: 'a'}), limited.complete({prompt: 'b'})]);
  const controller = new AbortController();
  const third = limited.complete({prompt: 'c', signal: controller.signal});
  await sleep(50);
  t.is(model.requests.length, 2);
  const reason = new Error('enough');
  controller.abort(reason);
  t.is(await t.throwsAsync(third), reason);
  t.is(model.requests.length, 2);
});

test('errors pass, and make room for the next', async t => {
  const limited = rateLimited(scriptedModel(new Error('no'), 'yes'), {concurrency: 1});
  const [first, second] = await Promise.allSettled([
    limited.complete({prompt: 'a'}),
    limited.complete({prompt: 'b'}),
  ]);
  t.like(first, {status: 'rejected', reason: {message: 'no'}});
  t.like(second, {status: 'fulfilled', value: 'yes'});
});

test('limits are whole numbers', t => {
  for (const limits of [{perMinute: 0}, {perMinute: 1.5}, {concurrency: Number.NaN}])
    t.throws(() => rateLimited(scriptedModel('yes'), limits), {instanceOf: ArgumentError});
});
