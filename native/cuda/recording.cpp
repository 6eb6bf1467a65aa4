#include "cuda/recording.h"

#include "cuda/op_table.h"

namespace ipai::cuda {

void Recording::add(size_t op, const void* attributes, const NodeView& node, void* scratch) {
  const size_t first = encoder_.launches().size();
  encoder_.set_scratch(static_cast<std::byte*>(scratch));
  op_table()[op].record(attributes_of(attributes), node, encoder_);
  nodes_.push_back({first, encoder_.launches().size()});
}

void Recording::add_copy(const CopyBytes& copy) {
  const size_t end = encoder_.launches().size();
  nodes_.push_back({end, end, copy});
}

}  // namespace ipai::cuda
