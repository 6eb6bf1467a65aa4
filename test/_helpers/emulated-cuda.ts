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
