// scatter_rows on CUDA: a thread makes one element of the result. It looks at all indices of its sample,
// which stay in the cache, and adds up what is its own in the order of x: no two threads write to one place.
#include "cuda/element.h"
#include "cuda/grid_loop.h"
#include "cuda/with_element.h"
#include "ops/scatter_rows/op.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
namespace {

// Of each sample: x [count, channels] to y [rows, channels].
struct Sizes {
  int64_t samples, count, rows, channels;
};

template <class T>
__global__ void __launch_bounds__(kLoopThreads, kLoopBlocks)
    scatter_rows_kernel(const T* x, const int32_t* index, float* y, const Sizes sizes) {
  grid_loop(sizes.samples * sizes.rows * sizes.channels, [&](int64_t i) {
    const int64_t line = i / sizes.channels;
    const int64_t sample = line / sizes.rows;
    const int64_t row = line - sample * sizes.rows;
    const int32_t* const indices = index + sample * sizes.count;
    const T* const column = x + sample * sizes.count * sizes.channels + (i - line * sizes.channels);
    float sum = 0;
    for (int64_t j = 0; j < sizes.count; ++j) {
      if (indices[j] == row) sum += to_float(column[j * sizes.channels]);
    }
    y[i] = sum;
  });
}

void record(const ScatterRows& attributes, const NodeView& node, CudaEncoder& encoder) {
  const TensorView& x = node.input(ScatterRows::kX);
  const Sizes sizes = {x.shape[0], x.shape[1], attributes.rows, x.shape[2]};
  with_element(x.dtype, [&](auto element) {
    using T = decltype(element);
    encoder.launch("scatter_rows", scatter_rows_kernel<T>,
                   loop_shape(node.output().shape.size(), encoder.device()), x.as<const T>(),
                   node.input(ScatterRows::kIndex).as<const int32_t>(), node.output().as<float>(), sizes);
  });
}

}  // namespace

namespace ops {
Op scatter_rows() {
  CudaOpSpec<ScatterRows> spec;
  spec.validate = ScatterRows::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
