import {execFileSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {existsSync} from 'node:fs';
import test, {type ExecutionContext, type Implementation} from 'ava';

/** Why this system has no networks of our own; undefined where it has. */
const missing = whatIsMissing();

function whatIsMissing(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  if (!['/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip'].some(existsSync)) return 'iproute2 is not installed';
  const name = `ipai-${randomBytes(3).toString('hex')}`;
  try {
    ip('netns', 'add', name);
    ip('netns', 'del', name);
    return undefined;
  } catch {
    return 'network namespaces are not allowed here';
  }
}

/** A test on several machines; where there can be none, its title says why it is skipped. */
export function machinesTest(title: string, implementation: Implementation<[]>): void {
  if (missing === undefined) test.serial(title, implementation);
  else test.skip(`${title} (skipped: ${missing})`, implementation);
}

export interface Machine {
  /** Its address in the network of all of them. */
  readonly host: string;
  /** Starts a command on it. */
  readonly launcher: readonly string[];
}

/** Machines as namespaces of this one's network, joined by a bridge, until the test ends. They share its disk. */
export function startMachines(t: ExecutionContext, count: number): Machine[] {
  const network = `ipai${randomBytes(3).toString('hex')}`;
  // In a namespace of its own: the bridge is nothing of this machine's.
  ip('netns', 'add', network);
  t.teardown(() => ip('netns', 'del', network));
  ip('-n', network, 'link', 'add', 'bridge', 'type', 'bridge');
  ip('-n', network, 'link', 'set', 'bridge', 'up');
  return Array.from({length: count}, (_, index) => {
    const name = `${network}-${index}`;
    const host = `10.77.0.${index + 1}`;
    ip('netns', 'add', name);
    t.teardown(() => ip('netns', 'del', name));
    ip('-n', network, 'link', 'add', `to${index}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    ip('-n', network, 'link', 'set', `to${index}`, 'master', 'bridge', 'up');
    ip('-n', name, 'addr', 'add', `${host}/24`, 'dev', 'eth0');
    ip('-n', name, 'link', 'set', 'eth0', 'up');
    ip('-n', name, 'link', 'set', 'lo', 'up');
    return {host, launcher: ['ip', 'netns', 'exec', name]};
  });
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, {stdio: ['ignore', 'ignore', 'pipe']});
}
