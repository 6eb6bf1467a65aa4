// The floors of the C++ side: addon -> runtime -> ops -> cpu and cuda, and no op includes another. Of the building
// blocks, cpu.cpp takes those of cpu and cuda.cu those of cuda; the emulation of CUDA is included by cuda alone.
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const below = {
  addon: ['runtime'],
  runtime: ['cpu'],
  ops: ['runtime', 'cpu', 'cuda'],
  cpu: ['runtime'],
  cuda: ['runtime', 'emulation'],
  mpi: ['runtime'],
};
// What kernels may know of the runtime: contracts, not the executor.
const contracts = new Set([
  'attention_checks.h',
  'attributes.h',
  'conv_geometry.h',
  'cpu_context.h',
  'cuda_encoder.h',
  'cuda_interface.h',
  'device_traits.h',
  'dtype.h',
  'function_ref.h',
  'kernel_launch.h',
  'loop_nest.h',
  'mpi_interface.h',
  'op.h',
  'status.h',
  'tensor_view.h',
  'thread_pool.h',
  'type_checks.h',
]);

const problems = [];
for (const file of readdirSync(join(root, 'native'), {recursive: true})) {
  if (!/\.(h|cpp|cu|cuh|in)$/.test(file)) continue;
  const [floor, folder] = file.split('/');
  const text = readFileSync(join(root, 'native', file), 'utf8');
  for (const [, included] of text.matchAll(/^#include "([^"]+)"/gm)) {
    const [target, name] = included.split('/');
    if (name === undefined) continue;
    const own = target === floor && (floor !== 'ops' || name === folder);
    const allowed = own || (below[floor] ?? []).includes(target);
    const aboveContracts = floor !== 'addon' && floor !== 'runtime';
    const contractOnly = aboveContracts && target === 'runtime' && !contracts.has(name);
    const otherDevice = floor === 'ops' && target === (file.endsWith('.cu') ? 'cpu' : 'cuda');
    if (!allowed || contractOnly || otherDevice) problems.push(`native/${file} includes ${included}`);
  }
}
if (problems.length > 0) {
  console.error(`Includes against the floors of ARCHITECTURE.md:\n  ${problems.join('\n  ')}`);
  process.exit(1);
}
