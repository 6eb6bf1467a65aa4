import {register} from 'node:module';
import test from 'ava';
import {ArgumentError} from '../../lib/errors.ts';
import {importAws4fetch, importBullmq, importIoredis} from '../../lib/jobs/optional-packages.ts';

/** As where the packages are not installed. */
const hideThem = `
export const resolve = (name, context, next) =>
  next(['aws4fetch', 'bullmq', 'ioredis'].includes(name) ? \`\${name}-that-is-not-there\` : name, context);`;

test('a package that is missing is named, and how to install it', async t => {
  register(`data:text/javascript,${encodeURIComponent(hideThem)}`);
  for (const [name, load] of Object.entries({
    aws4fetch: importAws4fetch,
    bullmq: importBullmq,
    ioredis: importIoredis,
  })) {
    const error = await t.throwsAsync<ArgumentError>(load, {instanceOf: ArgumentError});
    t.true(error.message.startsWith(`package ${name}: expected it to be installed`));
    t.regex(error.message, /npm install bullmq ioredis aws4fetch/);
  }
});
