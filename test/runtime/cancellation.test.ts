import test from 'ava';
import {openDevice} from '../../lib/runtime/device.ts';
import {DeviceTensor} from '../../lib/runtime/device-tensor.ts';
import {memoryUsage} from '../../lib/runtime/memory.ts';
import {affineChain} from '../_helpers/small-programs.ts';

const device = openDevice('cpu');
const size = 200_000;
const input = DeviceTensor.from(device, new Float32Array(size), [size]);
// About a second of work, in nodes of far less than a millisecond.
const long = device.compile(affineChain(20_000, size));

test.serial('an abort ends the run at the next node, with the reason', async t => {
  const controller = new AbortController();
  const bytes = memoryUsage().bufferBytes;
  const run = long.run({inputs: [input], parameters: [], signal: controller.signal});
  await new Promise(resolve => setTimeout(resolve, 20));
  const reason = new Error('enough');
  const start = performance.now();
  controller.abort(reason);
  t.is(await t.throwsAsync(run), reason);
  t.true(performance.now() - start < 250);
  t.is(memoryUsage().bufferBytes, bytes);
});

test.serial('a run that waits is cancelled at once, without disturbing the one before', async t => {
  const controller = new AbortController();
  const stop = new AbortController();
  const first = long.run({inputs: [input], parameters: [], signal: stop.signal});
  const second = long.run({inputs: [input], parameters: [], signal: controller.signal});
  controller.abort();
  const ended = await Promise.race([first.then(() => 'first'), second.catch(error => error.name)]);
  t.is(ended, 'AbortError');
  stop.abort();
  await t.throwsAsync(first, {any: true, name: 'AbortError'});
});

test.serial('an aborted signal begins nothing; one aborted too late changes nothing', async t => {
  const program = device.compile(affineChain(1, size));
  await t.throwsAsync(program.run({inputs: [input], parameters: [], signal: AbortSignal.abort()}), {
    any: true,
    name: 'AbortError',
  });
  const controller = new AbortController();
  const {outputs} = await program.run({inputs: [input], parameters: [], signal: controller.signal});
  controller.abort();
  t.is((await outputs[0]!.toFloat32Array())[0], 1);
});

test.serial('AbortSignal.timeout works, and the event loop turns while a program runs', async t => {
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const run = long.run({inputs: [input], parameters: [], signal: AbortSignal.timeout(100)});
  await t.throwsAsync(run, {any: true, name: 'TimeoutError'});
  clearInterval(timer);
  // A loop that waited for the run would turn once.
  t.true(turns > 5);
});
