/**
 * What can be known of the images without Docker: their commands are ones of `ipai`, their check of health tells a server
 * that answers from none, and what they copy is there and let in.
 */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, readFileSync} from 'node:fs';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import test from 'ava';
import {checkUsage} from '../_helpers/check-usage.ts';
import {repository} from '../_helpers/doc-samples.ts';

const file = path.join(repository, 'examples/docker/Dockerfile');
const instructions = readFileSync(file, 'utf8').replaceAll('\\\n', ' ').split('\n');

/** Arguments in JSON of all instructions that begin so. */
function argumentsOf(beginning: RegExp): string[][] {
  return instructions.flatMap(line => {
    const [match] = beginning.exec(line) ?? [];
    return match === undefined ? [] : [JSON.parse(line.slice(match.length)) as string[]];
  });
}

test('default commands are ones of ipai', t => {
  const commands = argumentsOf(/^CMD /);
  t.is(commands.length, 2);
  for (const command of commands) t.notThrows(() => checkUsage(command));
});

test('the check of health passes where the server answers, and fails where none does', async t => {
  const checks = argumentsOf(/^HEALTHCHECK .* CMD /);
  t.is(checks.length, 2);
  t.deepEqual(checks[0], checks[1]);
  const [, option, script] = checks[0]!;
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/healthz' ? 200 : 404).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address() as AddressInfo;
  const check = async () => {
    const child = spawn(process.execPath, [option!, script!.replace('8080', `${port}`)]);
    const [code] = await once(child, 'exit');
    return code;
  };
  t.is(await check(), 0);
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  t.is(await check(), 1);
});

test('what is copied from the clone is there, and is let into the build', t => {
  const admitted = readFileSync(`${file}.dockerignore`, 'utf8').match(/(?<=^!).+$/gm)!;
  const copied = instructions
    .filter(line => /^COPY (?!--from)/.test(line))
    .flatMap(line => line.split(' ').slice(1, -1));
  t.deepEqual([...new Set(copied)].sort(), [...admitted].sort());
  for (const name of copied) t.true(existsSync(path.join(repository, name)), name);
});
