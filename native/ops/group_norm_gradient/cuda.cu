// group_norm_gradient on CUDA: bound by memory. A block takes a group of a sample, which it reads four times,
// all but the first time from the L2 cache: for the mean, for the deviation, for the means of the formula and
// for the result.
#include "cuda/element.h"
#include "cuda/grid.h"
#include "cuda/reduce.h"
#include "cuda/with_element.h"
#include "ops/group_norm_gradient/op.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
namespace {

constexpr int kThreads = 256;

// y may be x or gradient.
template <class T>
struct Operands {
  const T* x;  // [samples, positions, channels]
  const T* gradient;
  const float* scale;
  T* y;
  int64_t positions;
  int channels;
  int width;  // channels of a group
  float epsilon;
};

template <class T>
__global__ void __launch_bounds__(kThreads) group_norm_gradient_block_groups(const Operands<T> operands) {
  __shared__ float partial[kThreads / kWarpSize];
  const int groups = operands.channels / operands.width;
  const int64_t sample = blockIdx.x / groups;
  const int first_channel = static_cast<int>(blockIdx.x % groups) * operands.width;
  const int64_t first = sample * operands.positions * operands.channels + first_channel;
  const int64_t count = operands.positions * operands.width;
  // body(place in x, channel of the group) for each of the thread's elements.
  const auto for_each = [&](auto body) {
    for (int64_t i = threadIdx.x; i < count; i += kThreads) {
      const int64_t position = i / operands.width;
      const int channel = static_cast<int>(i - position * operands.width);
      body(first + position * operands.channels + channel, channel);
    }
  };
  const auto mean_of = [&](auto value) {
    float sum = 0;
    for_each([&](int64_t i, int channel) { sum += value(i, channel); });
    return block_reduce<Sum>(sum, partial) / static_cast<float>(count);
  };
  const auto scaled_gradient = [&](int64_t i, int channel) {
    return to_float(operands.gradient[i]) * operands.scale[first_channel + channel];
  };

  const float mean = mean_of([&](int64_t i, int) { return to_float(operands.x[i]); });
  const auto deviation = [&](int64_t i) { return to_float(operands.x[i]) - mean; };
  const float variance = mean_of([&](int64_t i, int) { return deviation(i) * deviation(i); });
  const float inverse = rsqrtf(variance + operands.epsilon);
  const float offset = mean_of(scaled_gradient);
  const float slope =
      mean_of([&](int64_t i, int channel) { return scaled_gradient(i, channel) * (deviation(i) * inverse); });
  for_each([&](int64_t i, int channel) {
    const float normal = deviation(i) * inverse;
    operands.y[i] = from_float<T>((scaled_gradient(i, channel) - offset - normal * slope) * inverse);
  });
}

void record(const GroupNormGradient& attributes, const NodeView& node, CudaEncoder& encoder) {
  with_element(node.output().dtype, [&](auto element) {
    using T = decltype(element);
    const Shape& shape = node.output().shape;
    const Operands<T> operands = {node.input(GroupNormGradient::kX).as<const T>(),
                                  node.input(GroupNormGradient::kGradient).as<const T>(),
                                  node.input(GroupNormGradient::kScale).as<const float>(),
                                  node.output().as<T>(),
                                  shape.size(1, shape.rank() - 1),
                                  static_cast<int>(shape[-1]),
                                  static_cast<int>(shape[-1] / attributes.groups),
                                  attributes.epsilon};
    encoder.launch("group_norm_gradient_block_groups", group_norm_gradient_block_groups<T>,
                   {blocks_for(shape[0] * attributes.groups, 1), kThreads}, operands);
  });
}

}  // namespace

namespace ops {
Op group_norm_gradient() {
  CudaOpSpec<GroupNormGradient> spec;
  spec.in_place_inputs = {GroupNormGradient::kX, GroupNormGradient::kGradient};
  spec.validate = GroupNormGradient::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
