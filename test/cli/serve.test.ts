import {once} from 'node:events';
import type {AddressInfo} from 'node:net';
import {createServer} from 'node:net';
import test from 'ava';
import {runCli} from '../_helpers/run-cli.ts';

test('serve answers until it is told to end, and ends without an error', async t => {
  const key = 'a key';
  const args = ['serve', '--random', 'tiny', '--port', '0', '--max-side', '64', '--api-key', 'another'];
  const statuses: number[] = [];
  const {exitCode, stdout, stderr} = await runCli(args, {
    env: {IPAI_API_KEY: key},
    onStart: child => {
      let text = '';
      child.stdout!.on('data', async (part: string) => {
        const wasThere = text.includes('listening at');
        text += part;
        const [, origin] = /listening at (http:[^"]+)"/.exec(text) ?? [];
        if (wasThere || origin === undefined) return;
        try {
          while ((await fetch(`${origin}/readyz`)).status !== 200);
          for (const known of [key, 'another', 'unknown']) {
            const response = await fetch(`${origin}/v1/images`, {
              method: 'POST',
              headers: {authorization: `Bearer ${known}`, 'content-type': 'application/json'},
              body: JSON.stringify({prompt: 'a', height: 64, width: 64, numInferenceSteps: 1}),
            });
            statuses.push(response.status);
            await response.text();
          }
        } finally {
          child.kill('SIGTERM');
        }
      });
    },
  });
  t.deepEqual(statuses, [200, 200, 401]);
  t.is(exitCode, 0, stderr);
  for (const line of stdout.trimEnd().split('\n')) t.notThrows(() => JSON.parse(line));
  t.false(stdout.includes(key), 'keys are not logged');
});

test('an address that is taken is an error, and so is a model that is not there', async t => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const {port} = taken.address() as AddressInfo;
  const busy = await runCli(['serve', '--random', 'tiny', '--port', `${port}`]);
  t.is(busy.exitCode, 1);
  t.regex(busy.stderr, /EADDRINUSE.*--port/);
  const absent = await runCli(['serve', '--model', '/no/such/model', '--port', '0']);
  t.is(absent.exitCode, 1);
  t.regex(absent.stderr, /^error: .*\/no\/such\/model/m);
});
