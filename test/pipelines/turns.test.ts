import {setImmediate} from 'node:timers/promises';
import test from 'ava';
import {Turns} from '../../lib/pipelines/turns.ts';

/** A piece of work that begins when it may, and ends when it is told. */
function work(log: string[], name: string) {
  let end = () => {};
  let fail = (_error: Error) => {};
  const ended = new Promise<string>((resolve, reject) => {
    end = () => resolve(name);
    fail = reject;
  });
  const run = () => {
    log.push(name);
    return ended;
  };
  return {run, end, fail};
}

const settle = async () => {
  for (let i = 0; i < 5; i++) await setImmediate();
};

test('shared work runs at once; a change waits for it, and what comes after for the change', async t => {
  const [log, turns] = [[] as string[], new Turns()];
  const [a, b, change, other, c] = ['a', 'b', 'change', 'other', 'c'].map(name => work(log, name));
  const all = [
    turns.shared(a!.run),
    turns.shared(b!.run),
    turns.alone(change!.run),
    turns.alone(other!.run),
    turns.shared(c!.run),
  ];
  await settle();
  t.deepEqual(log, ['a', 'b']);
  a!.end();
  await settle();
  t.deepEqual(log, ['a', 'b']);
  b!.end();
  await settle();
  t.deepEqual(log, ['a', 'b', 'change']);
  change!.end();
  await settle();
  t.deepEqual(log, ['a', 'b', 'change', 'other']);
  other!.end();
  await settle();
  t.deepEqual(log, ['a', 'b', 'change', 'other', 'c']);
  c!.end();
  t.deepEqual(await Promise.all(all), ['a', 'b', 'change', 'other', 'c']);
});

test('what fails is told to its caller, and holds nobody up', async t => {
  const [log, turns] = [[] as string[], new Turns()];
  const [a, change, b] = ['a', 'change', 'b'].map(name => work(log, name));
  const failing = [turns.shared(a!.run), turns.alone(change!.run)];
  const last = turns.shared(b!.run);
  const [first, second] = [new Error('a'), new Error('change')];
  a!.fail(first);
  t.is(await t.throwsAsync(failing[0]!), first);
  change!.fail(second);
  t.is(await t.throwsAsync(failing[1]!), second);
  b!.end();
  await turns.idle();
  t.is(await last, 'b');
});
