// embedding on CUDA.
#include "cuda/gather_rows.h"
#include "cuda/with_element.h"
#include "ops/embedding/op.h"

namespace ipai::cuda {
namespace {

void record(const Embedding&, const NodeView& node, CudaEncoder& encoder) {
  const TensorView& table = node.input(Embedding::kTable);
  const TensorView& ids = node.input(Embedding::kIds);
  const RowGather gather = {ids.as<const int32_t>(), ids.shape.size(), table.shape[0], 0, table.shape[1]};
  with_element(table.dtype, [&](auto from) {
    using From = decltype(from);
    with_element(node.output().dtype, [&](auto to) {
      using To = decltype(to);
      record_gather_rows<From, To>("embedding", gather, table.as<const From>(), node.output().as<To>(),
                                   encoder);
    });
  });
}

}  // namespace

namespace ops {
Op embedding() {
  CudaOpSpec<Embedding> spec;
  spec.validate = Embedding::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
