// timestep_embedding on CUDA: a few thousand numbers, so that float64 costs nothing that counts. A thread
// takes one frequency of one timestep, and gives what the CPU op gives but where exp, sin or cos, which are
// right to two units in the last place of float64, lie that close to the middle of two float32 numbers.
#include <cmath>

#include "cuda/grid_loop.h"
#include "ops/timestep_embedding/op.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
namespace {

struct Embeddings {
  const float* timesteps;
  float* y;
  int64_t count;
  int64_t dim;
  float log_period;
  float steps;
  bool flip_sin_to_cos;
};

__global__ void __launch_bounds__(kLoopThreads, kLoopBlocks)
    timestep_embedding_kernel(const Embeddings embeddings) {
  const int64_t half = embeddings.dim / 2;
  grid_loop(embeddings.count * half, [&](int64_t item) {
    const int64_t row = item / half;
    const int64_t i = item - row * half;
    const float exponent = embeddings.log_period * static_cast<float>(i) / embeddings.steps;
    const auto frequency = static_cast<float>(exp(static_cast<double>(exponent)));
    const auto angle = static_cast<double>(embeddings.timesteps[row] * frequency);
    const auto sine = static_cast<float>(sin(angle));
    const auto cosine = static_cast<float>(cos(angle));
    float* const embedding = embeddings.y + row * embeddings.dim;
    embedding[i] = embeddings.flip_sin_to_cos ? cosine : sine;
    embedding[half + i] = embeddings.flip_sin_to_cos ? sine : cosine;
    if (i == 0 && embeddings.dim % 2 != 0) embedding[embeddings.dim - 1] = 0;
  });
}

void record(const TimestepEmbedding& attributes, const NodeView& node, CudaEncoder& encoder) {
  const int64_t count = node.output().shape[0];
  const int64_t dim = attributes.dim;
  const double steps = static_cast<double>(dim / 2) - static_cast<double>(attributes.downscale_freq_shift);
  const Embeddings embeddings = {node.input(0).as<const float>(),
                                 node.output().as<float>(),
                                 count,
                                 dim,
                                 static_cast<float>(-std::log(static_cast<double>(attributes.max_period))),
                                 static_cast<float>(steps),
                                 attributes.flip_sin_to_cos};
  encoder.launch("timestep_embedding", timestep_embedding_kernel,
                 loop_shape(count * (dim / 2), encoder.device()), embeddings);
}

}  // namespace

namespace ops {
Op timestep_embedding() {
  CudaOpSpec<TimestepEmbedding> spec;
  spec.validate = TimestepEmbedding::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
