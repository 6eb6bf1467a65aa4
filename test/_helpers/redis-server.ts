import {type ChildProcess, spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {type AddressInfo, createServer} from 'node:net';
import test, {type ExecutionContext, type Implementation} from 'ava';
import {tempFolder} from './temp-folder.ts';

const isInstalled = spawnSync('redis-server', ['--version']).status === 0;

/** A test that needs Redis, one at a time; where there is none, its title says why it is skipped. */
export function redisTest(title: string, implementation: Implementation<[]>): void {
  if (isInstalled) test.serial(title, implementation);
  else test.skip(`${title} (skipped: redis-server is not installed)`, implementation);
}

export interface RedisServer {
  readonly url: string;
  readonly process: ChildProcess;
}

export interface RedisOptions {
  /** A command that starts the server: `ip netns exec NAME`, say. */
  readonly launcher?: readonly string[];
  /** Where it listens. */
  readonly host?: string;
  /** Default: one that is free. */
  readonly port?: number;
}

/** A Redis that keeps nothing, until the test ends. */
export async function startRedis(
  t: ExecutionContext,
  {launcher = [], host = '127.0.0.1', port}: RedisOptions = {},
): Promise<RedisServer> {
  const ownPort = port ?? (await freePort());
  const settings = {port: `${ownPort}`, bind: host, dir: await tempFolder(t), save: '', appendonly: 'no'};
  const [command, ...args] = [
    ...launcher,
    'redis-server',
    ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
  ];
  const server = spawn(command!, [...args, '--protected-mode', 'no'], {stdio: ['ignore', 'pipe', 'inherit']});
  t.teardown(async () => {
    if (server.exitCode === null && server.signalCode === null) {
      server.kill('SIGKILL');
      await once(server, 'close');
    }
  });
  let printed = '';
  for await (const text of server.stdout.setEncoding('utf8')) {
    printed += text;
    if (printed.includes('Ready to accept connections')) break;
  }
  if (!printed.includes('Ready')) throw new Error(`redis-server: ${printed}`);
  return {url: `redis://${host}:${ownPort}`, process: server};
}

/** A port of this machine at which nobody listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
