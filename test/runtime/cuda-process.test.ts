/**
 * What cannot be had of CUDA, and what becomes of a device that breaks down: each in a process of its own.
 */
import {copyFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {addonPath} from '../../lib/runtime/load-addon.ts';
import {emulatedCuda} from '../_helpers/emulated-cuda.ts';
import {runScript} from '../_helpers/run-script.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const prelude = `
  import {openDevice} from '#root/lib/runtime/device.ts';
  import {DeviceTensor} from '#root/lib/runtime/device-tensor.ts';
  import {Engine} from '#root/lib/engine/engine.ts';
  import * as ops from '#root/lib/graph/ops/index.ts';
  const open = spec => {
    try {
      return openDevice(spec).name;
    } catch (error) {
      return error.name + ' ' + error.code + ' ' + error.message;
    }
  };
`;

const hint = "Or choose 'cpu', or 'auto' for the best device there is.";
const refusals: Record<string, {env: Record<string, string>; message: RegExp}> = {
  'no library': {
    env: {IPAI_CUDA_LIBRARY: '/nowhere/libipai_cuda.so'},
    message:
      /the CUDA library was not found \(tried \/nowhere\/libipai_cuda.so\). Correct or unset IPAI_CUDA_LIBRARY./,
  },
  'a library of others': {
    env: {IPAI_CUDA_LIBRARY: process.execPath},
    message: /'cuda': the library cannot be opened: .*/,
  },
  'no driver': {
    env: {...emulatedCuda, IPAI_EMULATED_CUDA: 'driver=0'},
    message: /no NVIDIA driver was found. Install one; a container needs access to the host's/,
  },
  'an old driver': {
    env: {...emulatedCuda, IPAI_EMULATED_CUDA: 'driver=12040'},
    message: /the NVIDIA driver serves CUDA 12.4; 13.0 or newer is needed. Update it./,
  },
  'no device': {
    env: {...emulatedCuda, IPAI_EMULATED_CUDA: 'devices=0'},
    message: /the NVIDIA driver finds no device./,
  },
  'an old device': {
    env: {...emulatedCuda, IPAI_EMULATED_CUDA: 'capability=75'},
    message: /an emulated device, has compute capability 7.5; 8.0 or newer is needed./,
  },
};

for (const [name, {env, message}] of Object.entries(refusals)) {
  test.serial(`${name}: 'auto' takes the processor, 'cuda' says what is missing`, async t => {
    const {stdout, stderr, code} = await runScript(
      `${prelude} console.log(open('auto') + '\\n' + open('cuda'));`,
      env,
    );
    t.is(stderr, '');
    t.is(code, 0);
    const [auto, cuda] = stdout.trim().split('\n');
    t.is(auto, 'cpu');
    t.regex(cuda!, /^DeviceError device-unavailable device 'cuda': /);
    t.regex(cuda!, message);
    t.true(cuda!.endsWith(hint));
  });
}

test.serial('the library is looked for beside the addon, and in the package of the platform', async t => {
  const folder = await tempFolder(t);
  const addon = path.join(folder, 'ip_adapter_instruct.node');
  copyFileSync(addonPath(), addon);
  const env = {IPAI_CUDA_LIBRARY: '', IPAI_BINARY_PATH: addon};
  const script = `${prelude} console.log(open('cuda'));`;
  const without = await runScript(script, env);
  t.true(without.stdout.includes(`(tried ${path.join(folder, 'libipai_cuda.so')}, @ip-adapter-instruct/`));
  t.regex(without.stdout, /-cuda\). Install the package \(npm install /);
  copyFileSync(emulatedCuda['IPAI_CUDA_LIBRARY']!, path.join(folder, 'libipai_cuda.so'));
  const beside = await runScript(script, env);
  t.is(beside.stdout, 'cuda:0\n');
});

test.serial('a device that is not there', async t => {
  const {stdout} = await runScript(`${prelude} console.log(open('cuda:1'));`, emulatedCuda);
  t.regex(stdout, /^DeviceError device-unavailable device 'cuda:1': expected a device from 0 to 0, got 1\./);
});

const work = `
  const engine = new Engine(openDevice('cuda'));
  const fn = engine.compile('test', ({x}) => ops.unary({x}, {kind: 'silu'}));
  const x = DeviceTensor.from(engine.device, new Float32Array(64), [64]);
`;

test.serial(
  'a device that breaks down: the run rejects, all later ones too, and the process lives on',
  async t => {
    const {stdout, stderr, code} = await runScript(
      `${prelude}${work}
    for (let i = 0; i < 2; i++) await fn.run({x}).catch(error => console.log(error.name + ': ' + error.message));
    await x.toFloat32Array().catch(error => console.log(error.name));
    console.log(open('cpu'));`,
      {...emulatedCuda, IPAI_EMULATED_CUDA: 'fail=unary'},
    );
    t.is(stderr, '');
    t.is(code, 0);
    const lines = stdout.trim().split('\n');
    t.regex(
      lines[0]!,
      /^InternalError: internal: cuda: running kernels: an illegal memory access .*IPAI_CHECK_NAN=1/,
    );
    t.regex(lines[1]!, /^InternalError/);
    t.is(lines[2], 'InternalError');
    t.is(lines[3], 'cpu');
  },
);

test.serial('with IPAI_CHECK_NAN the op at fault is named', async t => {
  const {stdout} = await runScript(
    `${prelude}${work} await fn.run({x}).catch(error => console.log(error.message));`,
    {...emulatedCuda, IPAI_EMULATED_CUDA: 'fail=unary', IPAI_CHECK_NAN: '1'},
  );
  t.regex(stdout, /^internal: unary: cuda: running kernels: an illegal memory access/);
});

test.serial('process.exit() with jobs on the device ends at once and cleanly', async t => {
  const {code, signal, stderr} = await runScript(
    `${prelude}${work}
    for (let i = 0; i < 200; i++) fn.run({x}).catch(() => {});
    setTimeout(() => process.exit(3), 30);`,
    emulatedCuda,
  );
  t.is(signal, null, stderr);
  t.is(code, 3);
});
