// group_norm on CUDA: bound by memory. One kernel measures the chunks of positions (cuda_plan.h), a second
// one merges the chunks' moments and normalises: x is read twice. Small pictures take a single kernel.
//
// A thread keeps to one column of a block's slice, a vector of channels, and takes every n-th position
// (column_moments.h); its channels are merged as far as they are of one group, then threads, then chunks.
#include "cuda/activation.h"
#include "cuda/column_moments.h"
#include "cuda/grid.h"
#include "cuda/with_element.h"
#include "ops/group_norm/cuda_plan.h"
#include "ops/group_norm/op.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
namespace {

constexpr int kThreads = kGroupNormThreads;
constexpr int kBlocks = kGroupNormBlocks;

// x and y may be the same.
template <class T>
struct Arguments {
  const T* x;
  T* y;
  const float* scale;
  const float* shift;
  float2* moments;  // [sample, chunk, group]: mean, squared deviations
  int64_t positions;
  int64_t chunk;
  int chunks;
  int channels;
  int width;
  int run;  // channels that a thread may merge: a divisor of both its vector and the groups' width
  int slice;
  int slices;
  float epsilon;

  __device__ int groups() const { return channels / width; }
  // Positions of a chunk.
  __device__ int rows_of(int index) const { return static_cast<int>(min(chunk, positions - index * chunk)); }
};

// The positions and channels of a block.
template <class T, int kLanes>
struct Share {
  __device__ explicit Share(const Arguments<T>& arguments)
      : sample(blockIdx.x / arguments.slices / arguments.chunks),
        chunk(static_cast<int>(blockIdx.x / arguments.slices % arguments.chunks)),
        first_channel(static_cast<int>(blockIdx.x % arguments.slices) * arguments.slice),
        channels(min(arguments.slice, arguments.channels - first_channel)),
        first_group(first_channel / arguments.width),
        groups(channels / arguments.width),
        columns(channels / kLanes, arguments.rows_of(chunk)),
        offset((sample * arguments.positions + chunk * arguments.chunk) * arguments.channels +
               first_channel) {}

  int64_t sample;
  int chunk;
  int first_channel, channels;
  int first_group, groups;
  ColumnRows<T, kLanes, kThreads> columns;
  int64_t offset;  // of the first position's first channel
};

// Calls store(group of the slice, moments) in one lane for each group, once the whole block has measured.
template <class T, int kLanes, class Store>
__device__ void measure(const Share<T, kLanes>& share, const Arguments<T>& arguments, Store store) {
  auto* const parts = reinterpret_cast<float2*>(dynamic_shared());  // [row, run of channels]
  const auto& columns = share.columns;
  const int run = arguments.run;
  const int row_runs = share.channels / run;
  if (!columns.is_idle()) {
    const auto size = static_cast<float>(columns.count_from(columns.first));
    float2 moments[kLanes];
    measure_columns(columns, arguments.x + share.offset, arguments.channels, size, moments);
    merge_runs(moments, run, size);
    float2* own = parts + columns.first * row_runs + columns.column / run;
#pragma unroll
    for (int j = 0; j < kLanes; ++j) {
      if ((j & (run - 1)) == 0) *own++ = moments[j];
    }
  }
  __syncthreads();  // all columns have been measured
  const int rows = min(columns.step, columns.rows);
  const int group_runs = arguments.width / run;
  const float total = static_cast<float>(static_cast<int64_t>(columns.rows) * arguments.width);
  for (int group = warp_index(); group < share.groups; group += kThreads / kWarpSize) {
    const float2* const first = parts + group * group_runs;
    const float2 moments = merge_moments(
        rows, group_runs, total, [&](int row, int i) { return first[row * row_runs + i]; },
        [&](int row) { return static_cast<float>(columns.count_from(row) * run); });
    if (lane_index() == 0) store(group, moments);
  }
}

// Mean and 1 / deviation, from moments of `count` numbers.
__device__ float2 statistics_of(float2 moments, float count, float epsilon) {
  return {moments.x, rsqrtf(moments.y / count + epsilon)};
}

// statistics: those of the slice's groups, in shared memory.
template <class T, int kLanes, bool kSilu>
__device__ void normalize(const Share<T, kLanes>& share, const Arguments<T>& arguments,
                          const float2* statistics) {
  const int column = share.columns.column;
  float means[kLanes], factors[kLanes], shifts[kLanes];
  load_lanes(arguments.scale + share.first_channel + column, factors);
  load_lanes(arguments.shift + share.first_channel + column, shifts);
  int group = column / arguments.width;
  int within = column % arguments.width;
#pragma unroll
  for (int j = 0; j < kLanes; ++j) {
    means[j] = statistics[group].x;
    factors[j] *= statistics[group].y;
    if (++within == arguments.width) {
      within = 0;
      ++group;
    }
  }
  // From the last row on: what was measured last is the likeliest to be in the cache still.
  const int64_t stride = arguments.channels;
  const int64_t last = share.offset + (share.columns.rows - 1) * stride;
  T* const y = arguments.y + last + column;
  share.columns.for_each(arguments.x + last, -stride, [&](int row, float(&values)[kLanes]) {
#pragma unroll
    for (int j = 0; j < kLanes; ++j) {
      values[j] = fmaf(values[j] - means[j], factors[j], shifts[j]);
      if constexpr (kSilu) values[j] = silu(values[j]);
    }
    store_lanes(y - row * stride, values);
  });
}

template <class T, int kLanes>
__global__ void __launch_bounds__(kThreads, kBlocks) group_norm_moments(const Arguments<T> arguments) {
  const Share<T, kLanes> share(arguments);
  float2* const moments = arguments.moments + share.first_group +
                          (share.sample * arguments.chunks + share.chunk) * arguments.groups();
  measure(share, arguments, [&](int group, float2 value) { moments[group] = value; });
}

template <class T, int kLanes, bool kSilu>
__global__ void __launch_bounds__(kThreads, kBlocks) group_norm_normalize(const Arguments<T> arguments) {
  __shared__ float2 statistics[kGroupNormMaxGroups];
  const Share<T, kLanes> share(arguments);
  const int groups = arguments.groups();
  const float2* const moments =
      arguments.moments + share.first_group + share.sample * arguments.chunks * groups;
  const float total = static_cast<float>(arguments.positions * arguments.width);
  const int chunks = arguments.chunks;
  const float whole = static_cast<float>(static_cast<int64_t>(arguments.rows_of(0)) * arguments.width);
  const float last =
      static_cast<float>(static_cast<int64_t>(arguments.rows_of(chunks - 1)) * arguments.width);
  for (int group = warp_index(); group < share.groups; group += kThreads / kWarpSize) {
    const float2 merged = merge_moments(
        chunks, 1, total, [&](int chunk, int) { return moments[chunk * groups + group]; },
        [&](int chunk) { return chunk + 1 < chunks ? whole : last; });
    if (lane_index() == 0) statistics[group] = statistics_of(merged, total, arguments.epsilon);
  }
  __syncthreads();  // the statistics are there
  normalize<T, kLanes, kSilu>(share, arguments, statistics);
}

template <class T, int kLanes, bool kSilu>
__global__ void __launch_bounds__(kThreads, kBlocks) group_norm_single(const Arguments<T> arguments) {
  __shared__ float2 statistics[kGroupNormMaxGroups];
  const Share<T, kLanes> share(arguments);
  const float total = static_cast<float>(arguments.positions * arguments.width);
  measure(share, arguments, [&](int group, float2 moments) {
    statistics[group] = statistics_of(moments, total, arguments.epsilon);
  });
  __syncthreads();  // the statistics are there
  normalize<T, kLanes, kSilu>(share, arguments, statistics);
}

template <class T, int kLanes, bool kSilu>
void record_kernels(const GroupNormPlan& plan, const Arguments<T>& arguments, CudaEncoder& encoder) {
  const LaunchShape shape = {blocks_for(plan.blocks(), 1), kThreads};
  const LaunchShape measuring = {shape.grid, kThreads, kThreads * kLanes * sizeof(float2)};
  if (plan.is_single()) {
    return encoder.launch("group_norm_single", group_norm_single<T, kLanes, kSilu>, measuring, arguments);
  }
  encoder.launch("group_norm_moments", group_norm_moments<T, kLanes>, measuring, arguments);
  encoder.launch("group_norm_normalize", group_norm_normalize<T, kLanes, kSilu>, shape, arguments);
}

template <class T, int kLanes>
void record_lanes(const GroupNormPlan& plan, const Arguments<T>& arguments, Activation activation,
                  CudaEncoder& encoder) {
  if (activation == Activation::kSilu) return record_kernels<T, kLanes, true>(plan, arguments, encoder);
  record_kernels<T, kLanes, false>(plan, arguments, encoder);
}

void record(const GroupNorm& attributes, const NodeView& node, CudaEncoder& encoder) {
  const GroupNormPlan plan(attributes, node.input(GroupNorm::kX), encoder.device());
  with_element(node.output().dtype, [&](auto element) {
    using T = decltype(element);
    const Arguments<T> arguments = {node.input(GroupNorm::kX).as<const T>(),
                                    node.output().as<T>(),
                                    node.input(GroupNorm::kScale).as<const float>(),
                                    node.input(GroupNorm::kShift).as<const float>(),
                                    reinterpret_cast<float2*>(encoder.scratch()),
                                    plan.positions,
                                    plan.chunk,
                                    static_cast<int>(plan.chunks()),
                                    static_cast<int>(plan.channels),
                                    static_cast<int>(plan.width()),
                                    static_cast<int>(std::gcd(plan.width(), plan.lanes)),
                                    static_cast<int>(plan.slice),
                                    static_cast<int>(plan.slices()),
                                    attributes.epsilon};
    if (plan.lanes == 1) return record_lanes<T, 1>(plan, arguments, attributes.activation, encoder);
    record_lanes<T, Vector<T>::kLanes>(plan, arguments, attributes.activation, encoder);
  });
}

std::string validate(const GroupNorm& attributes, const NodeTypes& types) {
  std::string error = GroupNorm::validate(attributes, types);
  if (!error.empty()) return error;
  const TensorType& x = types.inputs[GroupNorm::kX];
  const GroupNormPlan plan(attributes, x, types.device);
  if (plan.columns() > kThreads) return mismatch("x", "groups of at most 256 channels", x);
  return {};
}

size_t scratch_bytes(const GroupNorm& attributes, const NodeTypes& types) {
  const GroupNormPlan plan(attributes, types.inputs[GroupNorm::kX], types.device);
  if (plan.is_single()) return 0;
  return static_cast<size_t>(plan.samples * plan.chunks() * plan.groups) * sizeof(float2);
}

}  // namespace

namespace ops {
Op group_norm() {
  CudaOpSpec<GroupNorm> spec;
  spec.in_place_inputs = {GroupNorm::kX};
  spec.validate = validate;
  spec.scratch_bytes = scratch_bytes;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
