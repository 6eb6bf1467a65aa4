// upsample_nearest on CUDA: bound by memory. A thread takes one unit of an output pixel, of up to 16 bytes.
#include "cuda/grid_loop.h"
#include "cuda/with_unit.h"
#include "ops/upsample_nearest/op.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
namespace {

struct Pictures {
  int64_t from_height;
  int64_t from_width;
  int64_t height;
  int64_t width;
  int64_t pixel;  // units
};

template <class Unit>
__global__ void __launch_bounds__(kLoopThreads, kLoopBlocks)
    upsample_nearest_kernel(const Pictures pictures, const Unit* x, Unit* y, int64_t count) {
  grid_loop(count, [&](int64_t i) {
    const int64_t pixel = i / pictures.pixel;
    const int64_t row = pixel / pictures.width;  // of all pictures
    const int64_t column = pixel - row * pictures.width;
    const int64_t picture = row / pictures.height;
    const int64_t from_row = (row - picture * pictures.height) * pictures.from_height / pictures.height;
    const int64_t from_column = column * pictures.from_width / pictures.width;
    const int64_t from_pixel =
        (picture * pictures.from_height + from_row) * pictures.from_width + from_column;
    y[i] = x[from_pixel * pictures.pixel + (i - pixel * pictures.pixel)];
  });
}

void record(const UpsampleNearest&, const NodeView& node, CudaEncoder& encoder) {
  const Shape& from = node.input(0).shape;
  const Shape& to = node.output().shape;
  const int64_t pixel_bytes = from[3] * static_cast<int64_t>(dtype_size(node.output().dtype));
  const int64_t unit_bytes = unit_that_divides(pixel_bytes);
  const Pictures pictures = {from[1], from[2], to[1], to[2], pixel_bytes / unit_bytes};
  const int64_t count = to.size(0, 3) * pictures.pixel;
  with_unit(unit_bytes, [&](auto unit) {
    using Unit = decltype(unit);
    encoder.launch("upsample_nearest", upsample_nearest_kernel<Unit>, loop_shape(count, encoder.device()),
                   pictures, node.input(0).as<const Unit>(), node.output().as<Unit>(), count);
  });
}

}  // namespace

namespace ops {
Op upsample_nearest() {
  CudaOpSpec<UpsampleNearest> spec;
  spec.validate = UpsampleNearest::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
