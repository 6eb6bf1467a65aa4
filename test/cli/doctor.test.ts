import {existsSync} from 'node:fs';
import test from 'ava';
import {runCli} from '../_helpers/run-cli.ts';

test('doctor says what the machine is and why CUDA cannot be had', async t => {
  const {exitCode, stdout} = await runCli(['doctor']);
  t.is(exitCode, 0);
  t.true(stdout.includes(process.version));
  t.regex(stdout, /^kernels +(portable|avx2|avx512|avx512_bf16)$/m);
  t.regex(stdout, /^cuda +device 'cuda': the CUDA library was not found/m);
  t.regex(stdout, /^chosen +cpu, dtype float32$/m);
});

test('doctor ends with 1 where a device that is named cannot be had', async t => {
  const cuda = await runCli(['doctor', '--device', 'cuda:1']);
  t.is(cuda.exitCode, 1);
  t.regex(cuda.stdout, /^cuda:1 +device 'cuda:1': the CUDA library was not found/m);
  t.regex(cuda.stdout, /^chosen +none: cuda:1 cannot be had$/m);
  t.is((await runCli(['doctor', '--device', 'cpu'])).exitCode, 0);
  const gpu = await runCli(['doctor', '--device', 'gpu']);
  t.is(gpu.exitCode, 1);
  t.regex(gpu.stderr, /device: expected 'auto', 'cpu', 'cuda' or 'cuda:<index>' but received 'gpu'/);
});

test('doctor --json tells the same to programs', async t => {
  const {exitCode, stdout} = await runCli(['doctor', '--json'], {env: {IPAI_NUM_THREADS: '1'}});
  t.is(exitCode, 0);
  const report = JSON.parse(stdout);
  t.is(report.platform, `${process.platform}-${process.arch}`);
  t.is(report.threads, 1);
  t.true(existsSync(report.addon));
  t.true(report.totalMemoryBytes >= report.availableMemoryBytes);
  t.deepEqual(
    report.devices.map(({device, available}: {device: string; available: boolean}) => [device, available]),
    [
      ['cpu', true],
      ['cuda', false],
    ],
  );
  t.deepEqual(report.chosen, {device: 'cpu', dtype: 'float32'});
});
