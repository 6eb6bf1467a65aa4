/**
 * Every sample of README.md and of the guide is run, in the order of its page and in a folder of the page's own. Those that
 * cannot run here say why; of them it is checked that `ipai` has the commands and options that they name.
 */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdirSync, writeFileSync} from 'node:fs';
import {type AddressInfo, createServer} from 'node:net';
import {availableParallelism} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import PQueue from 'p-queue';
import {checkUsage, ipaiCommands} from '../_helpers/check-usage.ts';
import {compileSamples, makeDocProject, pageFolder} from '../_helpers/doc-project.ts';
import {type DocPage, type DocSample, readPages} from '../_helpers/doc-samples.ts';

const pages = readPages();
const project = await makeDocProject();

/** Samples name ports that may be taken on this machine: free ones stand for them. */
const ports = new Map([
  ['8080', await freePort()],
  ['8081', await freePort()],
]);

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `${port}`;
}

function withPorts(text: string): string {
  return text.replaceAll(/\b808[01]\b/g, named => ports.get(named)!);
}

test.after.always(() => project.remove());

test.before('samples in TypeScript have right types', () => {
  for (const sample of pages.flatMap(({samples}) => samples)) {
    if (sample.language !== 'ts') continue;
    const file = path.join(project.folder, 'samples', `${nameOf(sample.place)}.ts`);
    writeFileSync(file, `${withPorts(sample.text)}export {};\n`);
  }
  compileSamples(project);
});

/** Pages are run side by side, as many as there are cores: each process has one thread. */
const turns = new PQueue({concurrency: availableParallelism()});

for (const page of pages.filter(({samples}) => samples.length > 0)) {
  test(page.path, t => turns.add(() => runPage(t, page, pageFolder(project, nameOf(page.path)))));
}

async function runPage(t: ExecutionContext, {samples}: DocPage, folder: string): Promise<void> {
  const background: Running[] = [];
  try {
    for (const sample of samples) {
      const {language, use, place, text} = sample;
      if (use.kind === 'file') writeInto(folder, use.name, text);
      else if (use.kind === 'no-run') {
        t.log(`${place} is not run: ${use.reason}`);
        if (language === 'sh')
          for (const args of ipaiCommands(text)) t.notThrows(() => checkUsage(args), place);
      } else if (language !== 'text') {
        const running = start(sample, folder);
        if (use.kind === 'background') background.push(running);
        else await running.success;
        t.pass();
      }
    }
  } finally {
    for (const {stop} of background) stop();
    await Promise.all(background.map(({success}) => success));
  }
}

function writeInto(folder: string, name: string, text: string): void {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), {recursive: true});
  writeFileSync(file, text);
}

interface Running {
  /** Rejects with all that was printed, unless the sample ends with 0. */
  readonly success: Promise<void>;
  stop(): void;
}

function start(sample: DocSample, folder: string): Running {
  const [command, ...args] = commandOf(sample);
  const child = spawn(command!, args, {cwd: folder, env: project.env, stdio: ['ignore', 'pipe', 'pipe']});
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  }
  const success = once(child, 'close').then(([code, signal]) => {
    if (code !== 0) throw new Error(`${sample.place} ended with ${code ?? signal}:\n${printed}`);
  });
  // One in the background may fail before it is waited for.
  success.catch(() => undefined);
  return {success, stop: () => child.kill('SIGTERM')};
}

function commandOf({language, use, place, text}: DocSample): string[] {
  switch (language) {
    case 'sh':
      // Replaced by the command, a shell leaves the signal to it.
      return ['sh', '-e', '-c', withPorts(use.kind === 'background' ? `exec ${text}` : text)];
    case 'ts':
      return [process.execPath, path.join(project.folder, 'built', `${nameOf(place)}.js`)];
    default:
      throw new Error(`${place}: expected a sample that can be run, or the reason why it is not`);
  }
}

/** For files and folders. */
function nameOf(place: string): string {
  return place.replaceAll(/\W+/g, '-');
}
