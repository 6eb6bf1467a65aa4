// upsample_nearest on CUDA: bound by memory. A block takes a part of one output row, so that only columns are
// each thread's own to divide; a thread moves units of up to 16 bytes of a pixel.
#include "cuda/grid.h"
#include "cuda/with_unit.h"
#include "ops/upsample_nearest/op.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
namespace {

constexpr int kThreads = 256;
// Units of a block, of which a thread takes 4.
constexpr int64_t kBlockUnits = 4 * kThreads;

struct Pictures {
  int64_t from_height;
  int64_t from_width;
  int64_t height;
  int64_t width;
  int64_t pixel;  // units
  int64_t parts;  // blocks of a row
};

template <class Unit>
__global__ void __launch_bounds__(kThreads)
    upsample_nearest_row_parts(const Pictures pictures, const Unit* x, Unit* y) {
  const int64_t row = blockIdx.x / pictures.parts;  // of all pictures
  const int64_t first = (blockIdx.x - row * pictures.parts) * kBlockUnits;
  const int64_t picture = row / pictures.height;
  const int64_t from_row = (row - picture * pictures.height) * pictures.from_height / pictures.height;
  const Unit* const source =
      x + (picture * pictures.from_height + from_row) * pictures.from_width * pictures.pixel;
  Unit* const target = y + row * pictures.width * pictures.pixel;
  const int64_t last = min(first + kBlockUnits, pictures.width * pictures.pixel);
  for (int64_t i = first + threadIdx.x; i < last; i += kThreads) {
    const int64_t column = i / pictures.pixel;
    const int64_t from_column = column * pictures.from_width / pictures.width;
    target[i] = source[i + (from_column - column) * pictures.pixel];
  }
}

void record(const UpsampleNearest&, const NodeView& node, CudaEncoder& encoder) {
  const Shape& from = node.input(0).shape;
  const Shape& to = node.output().shape;
  const int64_t pixel_bytes = from[3] * static_cast<int64_t>(dtype_size(node.output().dtype));
  const int64_t unit_bytes = unit_that_divides(pixel_bytes);
  const int64_t pixel = pixel_bytes / unit_bytes;
  const Pictures pictures = {from[1], from[2], to[1], to[2], pixel, ceil_divide(to[2] * pixel, kBlockUnits)};
  with_unit(unit_bytes, [&](auto unit) {
    using Unit = decltype(unit);
    encoder.launch("upsample_nearest", upsample_nearest_row_parts<Unit>,
                   {blocks_for(to[0] * to[1] * pictures.parts, 1), kThreads}, pictures,
                   node.input(0).as<const Unit>(), node.output().as<Unit>());
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
