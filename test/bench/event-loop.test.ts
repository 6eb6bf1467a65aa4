import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {LatenessWatch} from '../../bench/event-loop.ts';

test.serial('work on the main thread makes a timer late', async t => {
  const watch = new LatenessWatch();
  await sleep(50);
  const before = process.cpuUsage();
  while (process.cpuUsage(before).user < 150_000);
  await sleep(50);
  const {latenessMs, blockedMs} = watch.stop();
  t.true(latenessMs > 100);
  t.true(blockedMs > 100);
});

test.serial('waiting does not', async t => {
  const watch = new LatenessWatch();
  await sleep(150);
  t.true(watch.stop().blockedMs < 50);
});
