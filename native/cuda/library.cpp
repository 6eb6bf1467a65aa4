// The door of libipai_cuda.so: what the addon looks up by name after it has opened the library.
#include <vector>

#include "runtime/op.h"

namespace ipai::cuda {
std::vector<Op> all_ops();
}

extern "C" __attribute__((visibility("default"))) const std::vector<ipai::Op>* ipai_cuda_ops() {
  static const std::vector<ipai::Op> ops = ipai::cuda::all_ops();
  return &ops;
}
