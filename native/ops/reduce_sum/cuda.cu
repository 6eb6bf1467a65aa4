// reduce_sum on CUDA: bound by reading x. A block makes one sum, whose terms its threads take in turn, or
// where neighbours in x belong to different sums, 32 neighbouring ones, a row of them after the other: loads
// of a warp are neighbours either way. Sums are made of sums of threads, two by two, in an order that the
// shapes alone decide.
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

struct Reduction {
  Nest<2> kept;  // of x and y
  Nest<1> reduced;
  int64_t sums;
  int64_t terms;  // of each sum
};

// A block makes kSums sums.
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
    for (int64_t term = row; term < reduction.terms; term += kRows) {
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
  if (row == 0 && !is_idle) y[place[1]] = from_float<Y>(partial[thread]);
}

template <class T, class Y, int kSums>
void record_sums(const NodeView& node, const Reduction& reduction, CudaEncoder& encoder) {
  encoder.launch("reduce_sum", reduce_sum_kernel<T, Y, kSums>, {blocks_for(reduction.sums, kSums), kThreads},
                 node.input(0).as<const T>(), node.output().as<Y>(), reduction);
}

void record(const ReduceSum& attributes, const NodeView& node, CudaEncoder& encoder) {
  const ReducedAxes axes(node.input(0).shape, node.output().shape);
  const Reduction reduction = {Nest<2>(axes.kept), Nest<1>(axes.reduced), node.output().shape.size(),
                               node.input(0).shape.size() / node.output().shape.size()};
  with_element(node.input(0).dtype, [&](auto from) {
    with_element(attributes.dtype, [&](auto to) {
      using T = decltype(from);
      using Y = decltype(to);
      if (axes.has_columns()) return record_sums<T, Y, kColumns>(node, reduction, encoder);
      record_sums<T, Y, 1>(node, reduction, encoder);
    });
  });
}

}  // namespace

namespace ops {
Op reduce_sum() {
  CudaOpSpec<ReduceSum> spec;
  spec.validate = ReduceSum::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
