import {copyFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {singleProcess} from '../../lib/runtime/communicator.ts';
import {mpiProblem} from '../_helpers/mpi.ts';
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

const title = "processes of a launcher that is not MPI's do not train each by itself";
(mpiProblem === undefined ? test : test.skip)(
  mpiProblem === undefined ? title : `${title}: ${mpiProblem}`,
  async t => {
    const message = /DeviceError: mpi: the launcher began 2 processes, but MPI finds 1\./;
    const asRoot = {OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1'};
    await assertFails(t, message, {...asRoot, SLURM_STEP_NUM_TASKS: '2'});
  },
);
