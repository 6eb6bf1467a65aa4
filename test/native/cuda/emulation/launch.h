// Runs recorded launches on the host.
#pragma once

#include <vector>

#include "emulation/block.h"
#include "runtime/status.h"

namespace ipai::cuda::emulation {

// Blocks run one after another, in the same order as threads do. Fails when a launch could not be, or when a
// block did not come to its end; the message names kernel and block.
Status run(const std::vector<KernelLaunch>& launches, Order order);

}  // namespace ipai::cuda::emulation
