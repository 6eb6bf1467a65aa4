// gather_tokens on CUDA.
#include "cuda/gather_rows.h"
#include "cuda/with_element.h"
#include "ops/gather_tokens/op.h"

namespace ipai::cuda {
namespace {

void record(const GatherTokens&, const NodeView& node, CudaEncoder& encoder) {
  const TensorView& x = node.input(GatherTokens::kX);
  const int64_t tokens = x.shape[1];
  const RowGather gather = {node.input(GatherTokens::kIndex).as<const int32_t>(), x.shape[0], tokens, tokens,
                            x.shape[2]};
  with_element(x.dtype, [&](auto element) {
    using T = decltype(element);
    record_gather_rows<T, T>("gather_tokens", gather, x.as<const T>(), node.output().as<T>(), encoder);
  });
}

}  // namespace

namespace ops {
Op gather_tokens() {
  CudaOpSpec<GatherTokens> spec;
  spec.validate = GatherTokens::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
