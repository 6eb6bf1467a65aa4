import {copyFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {singleProcess} from '../../lib/runtime/communicator.ts';
import {emulatedCuda, emulatedCudaAndNccl} from '../_helpers/emulated-cuda.ts';
import {mpiProblem, mpirun} from '../_helpers/mpi.ts';
import {runScript} from '../_helpers/run-script.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const addon = fileURLToPath(new URL('../../build/Release/ip_adapter_instruct.node', import.meta.url));
const open = `
  import {openCommunicator} from '#root/lib/runtime/communicator.ts';
  const {rank, size} = await openCommunicator();
  console.log(rank, size);
`;

async function assertFails(t: ExecutionContext, message: RegExp, env: Record<string, string>) {
  const {code, stdout, stderr} = await runScript(open, env);
  t.is(code, 1, stderr);
  t.is(stdout, '');
  t.regex(stderr, message);
}

test('a process by itself is all ranks', async t => {
  const {code, stdout, stderr} = await runScript(open, {OMPI_COMM_WORLD_SIZE: '', PMI_SIZE: '1'});
  t.is(code, 0, stderr);
  t.is(stdout, '0 1\n');
  t.deepEqual(await singleProcess.sum([1, 2]), [1, 2]);
});

test('processes that were launched together need the library', async t => {
  const folder = await tempFolder(t);
  const copy = join(folder, 'ip_adapter_instruct.node');
  copyFileSync(addon, copy);
  const message = /DeviceError: mpi: 4 processes were launched together, .*apt-get install libopenmpi-dev/;
  await assertFails(t, message, {IPAI_BINARY_PATH: copy, SLURM_STEP_NUM_TASKS: '4'});
});

/** A test that needs an MPI; where there is none it is passed over, and its title says why. */
const testWithMpi = (title: string, body: (t: ExecutionContext) => Promise<void>) =>
  mpiProblem === undefined ? test(title, body) : test.skip(`${title}: ${mpiProblem}`, body);

testWithMpi("processes of a launcher that is not MPI's do not train each by itself", async t => {
  const message = /DeviceError: mpi: the launcher began 2 processes, but MPI finds 1\./;
  const asRoot = {OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1'};
  await assertFails(t, message, {...asRoot, SLURM_STEP_NUM_TASKS: '2'});
});

/** What two ranks print who sum tensors of the processor and of a device. */
const sumOnBoth = `
    import {openCommunicator} from '#root/lib/runtime/communicator.ts';
    import {openDevice} from '#root/lib/runtime/device.ts';
    import {DeviceTensor} from '#root/lib/runtime/device-tensor.ts';

    const ranks = await openCommunicator();
    const [cpu, cuda] = ['cpu', 'cuda'].map(name => openDevice(name));
    const {cores, threads} = cpu.systemInfo();
    const numbers = await ranks.sum([ranks.rank, 2 ** 40 + 0.5]);
    const sums = [];
    // The largest are summed by themselves, and those on the device in parts.
    const lengths = [3, 6_000_000, 5, 2_000_000, 4_000_000];
    for (const device of [cpu, cuda]) {
      const tensors = lengths.map(length =>
        DeviceTensor.from(device, new Float32Array(length).fill(length + ranks.rank), [length]));
      await ranks.sumTensors(tensors);
      for (const [index, tensor] of tensors.entries()) {
        const values = await tensor.toFloat32Array();
        sums.push(values.every(value => value === 2 * lengths[index] + 1));
      }
    }
    const share = threads === Math.max(1, Math.floor(cores / 2));
    if (ranks.rank === 1) console.log(JSON.stringify({share, device: cuda.name, numbers, sums}));
    await ranks.close();
`;

async function assertSums(t: ExecutionContext, env: Record<string, string>): Promise<string> {
  const {code, stdout, stderr} = await runScript(sumOnBoth, {...env, IPAI_DEBUG: '1'}, mpirun(2));
  t.is(code, 0, stderr);
  t.deepEqual(JSON.parse(stdout), {
    share: true,
    device: 'cuda:0',
    numbers: [1, 2 ** 41 + 1],
    sums: new Array(10).fill(true),
  });
  return stderr;
}

const byNccl = /ranks: tensors are summed by NCCL/g;
const byHost = /ranks: tensors are summed by MPI on the host/g;

testWithMpi('ranks share out cores and devices, and sum numbers and tensors of both', async t => {
  const told = await assertSums(t, emulatedCuda);
  t.is(told.match(byHost)?.length, 2, told);
  t.regex(told, /ranks: nccl: libnccl\.so\.2 was not found\./);
});

testWithMpi('GPUs sum by NCCL where all have it', async t => {
  const told = await assertSums(t, emulatedCudaAndNccl);
  t.is(told.match(byNccl)?.length, 2, told);
});

testWithMpi('where NCCL cannot have the GPUs, they sum on the host', async t => {
  const told = await assertSums(t, {...emulatedCudaAndNccl, IPAI_EMULATED_NCCL: 'shared'});
  t.is(told.match(byHost)?.length, 2, told);
  t.regex(told, /ranks: nccl: joining a group: invalid usage\. Set NCCL_DEBUG=WARN/);
});
