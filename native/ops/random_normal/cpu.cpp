#include <algorithm>

#include "cpu/convert.h"
#include "cpu/with_dtype.h"
#include "ops/random_normal/op.h"
#include "ops/random_normal/philox_normal.h"
#include "runtime/cpu_context.h"
#include "runtime/type_checks.h"

namespace ipai::IPAI_TARGET {
namespace {

constexpr int64_t kGrainBlocks = 256;

std::string validate(const RandomNormal& attributes, const NodeTypes& types) {
  const Shape shape(attributes.shape.begin(), attributes.shape.end());
  if (is_empty(shape)) return "shape: expected positive extents, at most 6; got " + shape.to_string();
  if (!is_float(attributes.dtype)) {
    return std::string("dtype: expected float32, float16 or bfloat16; got ") + dtype_name(attributes.dtype);
  }
  return check_type("output", types.outputs[0], attributes.dtype, shape);
}

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
  spec.validate = validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
