/**
 * What concerns a whole process: its end, its worker threads, its environment variables.
 */
import test from 'ava';
import {runScript} from '../_helpers/run-script.ts';

const prelude = `
  import {openDevice} from '#root/lib/runtime/device.ts';
  import {DeviceTensor} from '#root/lib/runtime/device-tensor.ts';
  import {affineChain} from '#root/test/_helpers/small-programs.ts';
  const device = openDevice('cpu');
  const input = DeviceTensor.from(device, new Float32Array(200_000), [200_000]);
  const run = length => device.compile(affineChain(length, 200_000)).run({inputs: [input], parameters: []});
  const runMany = count => {
    const program = device.compile(affineChain(3000, 200_000));
    for (let i = 0; i < count; i++) program.run({inputs: [input], parameters: []}).catch(() => {});
  };
`;

test.serial('a pending run keeps the process alive; handles do not', async t => {
  const {code, stdout, stderr} = await runScript(`${prelude}
    run(1000).then(() => console.log('done'));
  `);
  t.is(stderr, '');
  t.is(stdout, 'done\n');
  t.is(code, 0);
});

test.serial('process.exit() with jobs running and waiting ends at once and cleanly', async t => {
  const {code, signal, stderr} = await runScript(`${prelude}
    runMany(20);
    setTimeout(() => process.exit(3), 30);
  `);
  t.is(signal, null, stderr);
  t.is(code, 3);
});

test.serial('an uncaught error with jobs waiting is reported as ever', async t => {
  const {code, stderr} = await runScript(`${prelude}
    runMany(20);
    setTimeout(() => { throw new Error('unrelated'); }, 30);
  `);
  t.is(code, 1);
  t.regex(stderr, /unrelated/);
});

// Workers do not take over the loader that runs TypeScript: they begin by registering it.
const workers = `
  import {Worker, isMainThread, parentPort} from 'node:worker_threads';
  const start = \`import('tsx/esm/api').then(api => { api.register(); return import('\${import.meta.url}'); })\`;
  const startWorker = () => new Worker(start, {eval: true});
`;

test.serial('worker threads compute side by side, each with its own handles', async t => {
  const {code, stdout, stderr} = await runScript(`${prelude}${workers}
    const total = async () => {
      let sum = 0;
      for (let i = 0; i < 20; i++) {
        const {outputs} = await run(10);
        sum += (await outputs[0].toFloat32Array())[i];
      }
      return sum;
    };
    if (isMainThread) {
      const results = [1, 2].map(() => new Promise(resolve => startWorker().on('message', resolve)));
      console.log(await total(), ...(await Promise.all(results)));
    } else {
      parentPort.postMessage(await total());
    }
  `);
  t.is(stdout, '200 200 200\n', stderr);
  t.is(code, 0);
});

test.serial('a worker that is terminated in the middle of a run leaves the others alone', async t => {
  const {code, stdout, stderr} = await runScript(`${prelude}${workers}
    if (isMainThread) {
      for (let i = 0; i < 3; i++) {
        const worker = startWorker();
        await new Promise(resolve => worker.once('message', resolve));
        await worker.terminate();
      }
      const {outputs} = await run(5);
      console.log((await outputs[0].toFloat32Array())[0]);
    } else {
      runMany(20);
      setTimeout(() => parentPort.postMessage('busy'), 20);
    }
  `);
  t.is(stdout, '5\n', stderr);
  t.is(code, 0);
});

test.serial('only a worker uses the addon, and the process goes on after it', async t => {
  const {code, stdout, stderr} = await runScript(`
    ${workers}
    if (isMainThread) {
      for (let i = 0; i < 3; i++) await new Promise(resolve => startWorker().once('exit', resolve));
      console.log('alive');
    } else {
      const {openDevice} = await import('#root/lib/runtime/device.ts');
      const {DeviceTensor} = await import('#root/lib/runtime/device-tensor.ts');
      const {affineChain} = await import('#root/test/_helpers/small-programs.ts');
      const device = openDevice();
      const input = DeviceTensor.from(device, new Float32Array(1000), [1000]);
      await device.compile(affineChain(5, 1000)).run({inputs: [input], parameters: []});
    }
  `);
  t.is(stdout, 'alive\n', stderr);
  t.is(code, 0);
});

test.serial('results do not depend on the number of threads or the CPU target', async t => {
  const script = `${prelude}
    const {outputs} = await run(3);
    const {threads, cpuTarget} = device.systemInfo();
    const values = await outputs[0].toFloat32Array();
    console.log(threads, cpuTarget, values.every(value => value === 3));
  `;
  const one = await runScript(script, {IPAI_NUM_THREADS: '1', IPAI_CPU_TARGET: 'portable'});
  t.is(one.stdout, '1 portable true\n', one.stderr);
  const three = await runScript(script, {IPAI_NUM_THREADS: '3'});
  t.regex(three.stdout, /^3 (portable|avx2|avx512|avx512_bf16) true\n$/);
});

test.serial('variables with bad values are errors that name them', async t => {
  const cases = {
    IPAI_NUM_THREADS: ['0', /IPAI_NUM_THREADS: expected a whole number from 1 to 1024 but received '0'/],
    IPAI_CPU_TARGET: [
      'sse9',
      /CPU target: expected portable, avx2, avx512 or avx512_bf16 but received 'sse9'/,
    ],
    IPAI_DEBUG: ['much', /IPAI_DEBUG: expected a whole number from 0 to 2/],
    IPAI_BINARY_PATH: [
      '/nowhere.node',
      /NoBinaryError.*\/nowhere\.node could not be loaded: not there\. Correct or unset/,
    ],
  } as const;
  for (const [name, [value, message]] of Object.entries(cases)) {
    const {code, stderr} = await runScript(prelude, {[name]: value});
    t.is(code, 1);
    t.regex(stderr, message);
  }
});

test.serial('IPAI_CHECK_NAN names the node; IPAI_DEBUG tells of device, plan and run', async t => {
  const script = `${prelude}
    const bad = DeviceTensor.from(device, new Float32Array(4).fill(NaN), [4]);
    const program = device.compile(affineChain(2, 4));
    await program.run({inputs: [bad], parameters: []}).then(() => console.log('ran'), error => console.log(error.message));
  `;
  const checked = await runScript(script, {IPAI_CHECK_NAN: '1'});
  t.is(checked.stdout, 'affine: the output float32[4] has a NaN at element 0 (at chain.0).\n');
  const told = await runScript(script, {IPAI_DEBUG: '2'});
  t.is(told.stdout, 'ran\n');
  t.regex(
    told.stderr,
    /\[ipai\] device: cpu, .*\n\[ipai\] plan: 2 nodes from chain\.0: .*\n\[ipai\] run: 2 nodes in/,
  );
});
