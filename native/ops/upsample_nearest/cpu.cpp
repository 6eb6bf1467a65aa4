#include <cstddef>
#include <cstring>

#include "cpu/vec.h"
#include "ops/upsample_nearest/op.h"
#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET {
namespace {

void run(const UpsampleNearest&, const NodeView& node, CpuContext& context) {
  const Shape& from = node.input(0).shape;
  const Shape& to = node.output().shape;
  const auto pixel_bytes = static_cast<size_t>(from[3]) * dtype_size(node.output().dtype);
  const std::byte* const x = node.input(0).as<std::byte>();
  std::byte* const y = node.output().as<std::byte>();
  context.parallel_for(to[0] * to[1], [&](int64_t row, int) {
    const int64_t source_row = row / to[1] * from[1] + row % to[1] * from[1] / to[1];
    const std::byte* const source = x + static_cast<size_t>(source_row * from[2]) * pixel_bytes;
    std::byte* const target = y + static_cast<size_t>(row * to[2]) * pixel_bytes;
    for (int64_t column = 0; column < to[2]; ++column) {
      std::memcpy(target + static_cast<size_t>(column) * pixel_bytes,
                  source + static_cast<size_t>(column * from[2] / to[2]) * pixel_bytes, pixel_bytes);
    }
  });
}

}  // namespace

namespace ops {
Op upsample_nearest() {
  CpuOpSpec<UpsampleNearest> spec;
  spec.validate = UpsampleNearest::validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
