// binary on CUDA: bound by memory. A thread takes vectors of 16 bytes of the output where rows, the runs
// along which each operand is dense or one repeated element, begin at such vectors; else single elements.
#include "cuda/grid_loop.h"
#include "cuda/lanes.h"
#include "cuda/nest.h"
#include "cuda/with_element.h"
#include "ops/binary/op.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
namespace {

// An operand's offsets are those of the nest; `repeats` where its rows are one repeated element.
template <class T>
struct Operand {
  const T* data;
  bool repeats;
};

__device__ float apply(Binary::Kind kind, float a, float b) {
  switch (kind) {
    case Binary::Kind::kAdd:
      return a + b;
    case Binary::Kind::kSubtract:
      return a - b;
    default:
      return a * b;
  }
}

template <class T, int kCount>
__device__ void load_operand(const Operand<T>& operand, int64_t offset, int64_t left,
                             float (&lanes)[kCount]) {
  if (operand.repeats) {
    const float value = to_float(operand.data[offset]);
#pragma unroll
    for (float& lane : lanes) lane = value;
  } else {
    load_lanes(operand.data + offset, left, lanes);
  }
}

// y may be an operand that is not repeated anywhere. Only a nest of one row may end within a vector.
template <class T, int kCount>
__global__ void __launch_bounds__(kLoopThreads, kLoopBlocks)
    binary_kernel(Binary::Kind kind, const __grid_constant__ Nest<2> nest, const Operand<T> a,
                  const Operand<T> b, T* y, int64_t count) {
  grid_loop((count + kCount - 1) / kCount, [&](int64_t i) {
    int64_t offsets[2];
    nest.locate(i, offsets);
    const int64_t left = count - i * kCount;
    float left_lanes[kCount], right_lanes[kCount];
    load_operand(a, offsets[Binary::kA], left, left_lanes);
    load_operand(b, offsets[Binary::kB], left, right_lanes);
#pragma unroll
    for (int j = 0; j < kCount; ++j) left_lanes[j] = apply(kind, left_lanes[j], right_lanes[j]);
    store_lanes(y + i * kCount, left, left_lanes);
  });
}

LoopNest<2> nest_of(const Shape& a, const Shape& b, const Shape& output) {
  const auto a_strides = broadcast_strides(a);
  const auto b_strides = broadcast_strides(b);
  LoopNest<2> nest;
  for (int axis = 0; axis < output.rank(); ++axis) {
    const auto i = static_cast<size_t>(axis);
    nest.add_axis(output[axis], {a_strides[i], b_strides[i]});
  }
  return nest;
}

// An operand that is dense along rows of whole vectors begins each of them at a vector, as the output does.
bool has_vectors(const LoopNest<2>& nest, int64_t lanes) {
  return nest.rank() <= 1 || nest.row_length() % lanes == 0;
}

LoopNest<2> in_vectors(const LoopNest<2>& nest, int64_t lanes) {
  LoopNest<2> result;
  for (int axis = 0; axis + 1 < nest.rank(); ++axis) {
    result.add_axis(nest.extent(axis), {nest.stride(axis, Binary::kA), nest.stride(axis, Binary::kB)});
  }
  result.add_axis(ceil_divide(nest.row_length(), lanes),
                  {nest.row_stride(Binary::kA) * lanes, nest.row_stride(Binary::kB) * lanes});
  return result;
}

template <class T, int kCount>
void record_lanes(const Binary& attributes, const LoopNest<2>& nest, const NodeView& node,
                  CudaEncoder& encoder) {
  const int64_t count = node.output().shape.size();
  const auto operand = [&](int index) {
    return Operand<T>{node.input(index).as<const T>(), nest.row_stride(index) == 0};
  };
  encoder.launch("binary", binary_kernel<T, kCount>, loop_shape(ceil_divide(count, kCount), encoder.device()),
                 attributes.kind, Nest<2>(in_vectors(nest, kCount)), operand(Binary::kA), operand(Binary::kB),
                 node.output().as<T>(), count);
}

void record(const Binary& attributes, const NodeView& node, CudaEncoder& encoder) {
  const LoopNest<2> nest =
      nest_of(node.input(Binary::kA).shape, node.input(Binary::kB).shape, node.output().shape);
  with_element(node.output().dtype, [&](auto element) {
    using T = decltype(element);
    constexpr int kLanes = Vector<T>::kLanes;
    if (has_vectors(nest, kLanes)) return record_lanes<T, kLanes>(attributes, nest, node, encoder);
    record_lanes<T, 1>(attributes, nest, node, encoder);
  });
}

}  // namespace

namespace ops {
Op binary() {
  CudaOpSpec<Binary> spec;
  spec.in_place_inputs = {Binary::kA, Binary::kB};
  spec.validate = Binary::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
