#include <algorithm>

#include "cpu/convert.h"
#include "cpu/with_dtype.h"
#include "ops/random_normal/op.h"
#include "ops/random_normal/philox_normal.h"
#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET {
namespace {

constexpr int64_t kGrainBlocks = 256;

void run(const RandomNormal& attributes, const NodeView& node, CpuContext& context) {
  const int64_t count = node.output().shape.size();
  const int64_t blocks = (count + kBlockSize - 1) / kBlockSize;
  with_float(attributes.dtype, [&](auto element) {
    using T = decltype(element);
    T* const y = node.output().as<T>();
    context.parallel_ranges(blocks, kGrainBlocks, [&](int64_t begin, int64_t end, int) {
      for (int64_t block = begin; block < end; ++block) {
        float values[kBlockSize];
        normal_block(attributes.seed, static_cast<uint64_t>(block), attributes.mean, attributes.std, values);
        const int64_t first = block * kBlockSize;
        convert<float>(values, y + first, std::min<int64_t>(kBlockSize, count - first));
      }
    });
  });
}

}  // namespace

namespace ops {
Op random_normal() {
  CpuOpSpec<RandomNormal> spec;
  spec.validate = RandomNormal::validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
