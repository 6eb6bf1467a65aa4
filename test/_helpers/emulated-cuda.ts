/**
 * A CUDA device that is emulated on the host, as `scripts/build-emulated-cuda.mjs` builds it.
 */
import {fileURLToPath} from 'node:url';

/** What a process needs in its environment to have it. */
export const emulatedCuda: Readonly<Record<string, string>> = {
  IPAI_CUDA_LIBRARY: fileURLToPath(
    new URL('../../build/emulated-cuda/libipai_cuda_emulated.so', import.meta.url),
  ),
};

/** The same, and an NCCL that is emulated by MPI. */
export const emulatedCudaAndNccl: Readonly<Record<string, string>> = {
  ...emulatedCuda,
  LD_LIBRARY_PATH: fileURLToPath(new URL('../../build/emulated-cuda/nccl', import.meta.url)),
};

/** The device for tests that any will do for: a real one where `IPAI_TEST_CUDA_LIBRARY` names its library. */
export const anyCuda: Readonly<Record<string, string>> = {
  IPAI_CUDA_LIBRARY: process.env['IPAI_TEST_CUDA_LIBRARY'] || emulatedCuda['IPAI_CUDA_LIBRARY']!,
};
