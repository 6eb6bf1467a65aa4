// cp.async as native/cuda/async_copy.h has it. The target is garbage from the copy to the wait.
#pragma once

namespace ipai::cuda::emulation {

void copy_async(void* target, const void* source, bool valid);
void commit_copies();
void wait_copies(int pending);

}  // namespace ipai::cuda::emulation
