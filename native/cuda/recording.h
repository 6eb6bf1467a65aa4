// A program's nodes as recorded launches and copies.
#pragma once

#include <vector>

#include "runtime/cuda_encoder.h"
#include "runtime/cuda_interface.h"

namespace ipai::cuda {

struct CopyBytes {
  void* target = nullptr;
  const void* source = nullptr;
  size_t bytes = 0;
};

// Launches [first, last) of the encoder, or a copy.
struct RecordedNode {
  size_t first_launch = 0;
  size_t last_launch = 0;
  CopyBytes copy = {};
};

class Recording {
 public:
  explicit Recording(const DeviceTraits& device) : encoder_(device) {}

  void add(size_t op, const void* attributes, const NodeView& node, void* scratch);
  void add_copy(const CopyBytes& copy);

  const std::vector<RecordedNode>& nodes() const { return nodes_; }
  const std::vector<KernelLaunch>& launches() const { return encoder_.launches(); }

 private:
  CudaEncoder encoder_;
  std::vector<RecordedNode> nodes_;
};

}  // namespace ipai::cuda
