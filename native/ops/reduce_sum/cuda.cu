// reduce_sum on CUDA: bound by reading x. A block makes one sum, whose terms its threads take in turn, or
// where neighbours in x belong to different sums, 32 neighbouring ones, a row of them after the other: loads
// of a warp are neighbours either way. Few sums of many terms are split among blocks, whose sums go through
// scratch memory to a second launch. Sums are made of sums of threads, two by two, in an order that shapes
// and device alone decide.
#include <algorithm>

#include "cuda/element.h"
#include "cuda/grid.h"
#include "cuda/nest.h"
#include "cuda/with_element.h"
#include "ops/reduce_sum/op.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kColumns = 32;
// Terms that a thread should at least add up.
constexpr int64_t kThreadTerms = 16;
constexpr int64_t kMostSplits = 256;

struct Reduction {
  Nest<2> kept;  // of x and the sums
  Nest<1> reduced;
  int64_t sums;
  int64_t terms;            // of each sum
  int64_t terms_per_split;  // blockIdx.y is the split
};

// A block makes kSums sums of a split. `y` is [splits, sums].
template <class T, class Y, int kSums>
__global__ void __launch_bounds__(kThreads) reduce_sum_kernel(const T* x, Y* y, const Reduction reduction) {
  constexpr int kRows = kThreads / kSums;
  __shared__ float partial[kThreads];
  const int thread = static_cast<int>(threadIdx.x), row = thread / kSums;
  const int64_t sum = static_cast<int64_t>(blockIdx.x) * kSums + thread % kSums;
  const bool is_idle = sum >= reduction.sums;
  int64_t place[2] = {};
  float total = 0;
  if (!is_idle) {
    reduction.kept.locate(sum, place);
    const int64_t first = blockIdx.y * reduction.terms_per_split;
    const int64_t end = min(first + reduction.terms_per_split, reduction.terms);
    for (int64_t term = first + row; term < end; term += kRows) {
      int64_t offset[1];
      reduction.reduced.locate(term, offset);
      total += to_float(x[place[0] + offset[0]]);
    }
  }
  partial[thread] = total;
  for (int rows = kRows / 2; rows > 0; rows /= 2) {
    __syncthreads();  // sums of rows [0, 2 · rows) are there
    if (row < rows) partial[thread] += partial[thread + rows * kSums];
  }
  if (row == 0 && !is_idle) y[blockIdx.y * reduction.sums + place[1]] = from_float<Y>(partial[thread]);
}

struct Plan {
  Plan(const Shape& x, const Shape& y, const DeviceTraits& device)
      : axes(x, y), sums(y.size()), terms(x.size() / y.size()) {
    const int64_t together = axes.has_columns() ? kColumns : 1;
    const int64_t wanted = 2 * int64_t{device.multiprocessors} / ceil_divide(sums, together);
    const int64_t most = std::min(kMostSplits, terms / (kThreads / together * kThreadTerms));
    terms_per_split = ceil_divide(terms, std::max<int64_t>(1, std::min(wanted, most)));
  }

  int64_t splits() const { return ceil_divide(terms, terms_per_split); }
  Reduction first() const {
    return {Nest<2>(axes.kept), Nest<1>(axes.reduced), sums, terms, terms_per_split};
  }
  // Of the splits' sums.
  Reduction second() const {
    LoopNest<2> kept;
    LoopNest<1> reduced;
    kept.add_axis(sums, {1, 1});
    reduced.add_axis(splits(), {sums});
    return {Nest<2>(kept), Nest<1>(reduced), sums, splits(), splits()};
  }

  ReducedAxes axes;
  int64_t sums, terms, terms_per_split;
};

template <class T, class Y>
void record_sums(const Reduction& reduction, bool has_columns, const T* x, Y* y, CudaEncoder& encoder) {
  const auto kernel = has_columns ? reduce_sum_kernel<T, Y, kColumns> : reduce_sum_kernel<T, Y, 1>;
  const auto across = static_cast<uint32_t>(ceil_divide(reduction.sums, has_columns ? kColumns : 1));
  const auto splits = static_cast<uint32_t>(ceil_divide(reduction.terms, reduction.terms_per_split));
  encoder.launch("reduce_sum", kernel, {{across, splits}, kThreads}, x, y, reduction);
}

void record(const ReduceSum& attributes, const NodeView& node, CudaEncoder& encoder) {
  const TensorView& x = node.input(0);
  const Plan plan(x.shape, node.output().shape, encoder.device());
  const bool has_columns = plan.axes.has_columns();
  float* const partial = reinterpret_cast<float*>(encoder.scratch());
  with_element(attributes.dtype, [&](auto to) {
    using Y = decltype(to);
    Y* const y = node.output().as<Y>();
    with_element(x.dtype, [&](auto from) {
      using T = decltype(from);
      if (plan.splits() == 1) return record_sums(plan.first(), has_columns, x.as<const T>(), y, encoder);
      record_sums(plan.first(), has_columns, x.as<const T>(), partial, encoder);
    });
    if (plan.splits() > 1) record_sums<float>(plan.second(), plan.sums > 1, partial, y, encoder);
  });
}

size_t scratch_bytes(const ReduceSum&, const NodeTypes& types) {
  const Plan plan(types.inputs[0].shape, types.outputs[0].shape, types.device);
  return plan.splits() == 1 ? 0 : static_cast<size_t>(plan.splits() * plan.sums) * sizeof(float);
}

}  // namespace

namespace ops {
Op reduce_sum() {
  CudaOpSpec<ReduceSum> spec;
  spec.validate = ReduceSum::validate;
  spec.scratch_bytes = scratch_bytes;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
