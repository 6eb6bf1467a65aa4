/**
 * A running server under load: clients that ask for a picture again and again, and wait when they are told to.
 *
 *   npx ipai serve --random tiny --port 8080 &
 *   npx tsx bench/serve-load.ts --url http://127.0.0.1:8080 [--clients 64] [--seconds 300] [--steps 2] [--side 64]
 *     [--json FILE]
 *
 * Memory is that of the server, after a fifth of the time and at the end. The exit status is 1 where an answer was neither a
 * picture nor 429.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {parseArgs} from 'node:util';
import {openDevice} from '../lib/runtime/device.ts';
import {describeMachine} from './machine.ts';
import {positiveNumber, runProgram} from './options.ts';
import {writeReport} from './report.ts';

/** Of the time, after which caches and heap have found their size. */
const settlingShare = 0.2;
const prompts = ['a lighthouse on a cliff', 'a cup of coffee', 'a fox in the snow', 'a street at night'];

interface Load {
  readonly url: string;
  readonly request: object;
  /** As `performance.now` has it. */
  readonly end: number;
}

interface Tally {
  readonly secondsOfPictures: number[];
  /** Answers by status; `failed` where there was none. */
  readonly answers: Record<string, number>;
}

async function runClient(number: number, {url, request, end}: Load, tally: Tally): Promise<void> {
  for (let turn = number; performance.now() < end; turn++) {
    const begin = performance.now();
    const body = JSON.stringify({...request, prompt: prompts[turn % prompts.length]});
    const headers = {'content-type': 'application/json', accept: 'image/png'};
    let [status, retryAfter] = ['failed', 1];
    try {
      const response = await fetch(`${url}/v1/images`, {method: 'POST', headers, body});
      await response.arrayBuffer();
      [status, retryAfter] = [`${response.status}`, Number(response.headers.get('retry-after') ?? 0)];
    } catch {
      // Counted, and tried again.
    }
    tally.answers[status] = (tally.answers[status] ?? 0) + 1;
    if (status === '200') tally.secondsOfPictures.push((performance.now() - begin) / 1000);
    else await sleep(retryAfter * 1000);
  }
}

/** The value below which a share of the others is. */
function quantile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? null;
}

async function residentBytesOf(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]);
}

async function main(): Promise<void> {
  const {values} = parseArgs({
    options: {
      url: {type: 'string', default: 'http://127.0.0.1:8080'},
      clients: {type: 'string', default: '64'},
      seconds: {type: 'string', default: '300'},
      steps: {type: 'string', default: '2'},
      side: {type: 'string', default: '64'},
      json: {type: 'string'},
    },
  });
  const {url} = values;
  const machine = describeMachine(openDevice('cpu'), null);
  const clients = positiveNumber('--clients', values.clients);
  const seconds = positiveNumber('--seconds', values.seconds);
  const [numInferenceSteps, side] = [
    positiveNumber('--steps', values.steps),
    positiveNumber('--side', values.side),
  ];
  const tally: Tally = {secondsOfPictures: [], answers: {}};
  const begin = performance.now();
  const load = {url, request: {height: side, width: side, numInferenceSteps}, end: begin + seconds * 1000};
  const settled = sleep(settlingShare * seconds * 1000).then(() => residentBytesOf(url));
  await Promise.all(Array.from({length: clients}, (_, number) => runClient(number, load, tally)));
  const {secondsOfPictures, answers} = tally;
  const row = {
    clients,
    seconds: (performance.now() - begin) / 1000,
    pictures: secondsOfPictures.length,
    'p50 s': quantile(secondsOfPictures, 0.5),
    'p95 s': quantile(secondsOfPictures, 0.95),
    ...Object.fromEntries(Object.entries(answers).map(([status, count]) => [`answers ${status}`, count])),
    'settled MiB': (await settled) / 2 ** 20,
    'end MiB': (await residentBytesOf(url)) / 2 ** 20,
  };
  console.log(row);
  if (values.json !== undefined) writeReport(values.json, {machine, rows: [row]});
  if (Object.keys(answers).some(status => status !== '200' && status !== '429')) process.exitCode = 1;
}

await runProgram(main);
