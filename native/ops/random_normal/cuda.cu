// random_normal on CUDA: the steps of philox_normal.h, one counter (4 numbers) per thread. Every step is
// exact or correctly rounded (products, sums, a square root, conversions; polynomials in place of the
// mathematical library), and none is fused, so that the bits are the CPU op's.
#include "cuda/element.h"
#include "cuda/grid_loop.h"
#include "cuda/with_element.h"
#include "ops/random_normal/op.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
namespace {

constexpr int kCounters = 16;              // of one block of numbers, whose counters' numbers interleave
constexpr int kBlockSize = 4 * kCounters;  // numbers of one block

// A float32 number whose products and sums the compiler must not fuse.
struct Unfused {
  float value;
  __device__ Unfused(float x) : value(x) {}  // NOLINT: implicit on purpose
  __device__ friend Unfused operator+(Unfused a, Unfused b) { return __fadd_rn(a.value, b.value); }
  __device__ friend Unfused operator-(Unfused a, Unfused b) { return __fadd_rn(a.value, -b.value); }
  __device__ friend Unfused operator*(Unfused a, Unfused b) { return __fmul_rn(a.value, b.value); }
};

struct Words {
  uint32_t word[4];
};

// Philox4x32-10 of `counter` under the key (seed, 0).
__device__ Words philox(uint32_t seed, uint64_t counter) {
  uint32_t x0 = static_cast<uint32_t>(counter), x1 = static_cast<uint32_t>(counter >> 32), x2 = 0, x3 = 0;
  uint32_t key0 = seed, key1 = 0;
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53} * x0;
    const uint64_t product1 = uint64_t{0xCD9E8D57} * x2;
    x0 = static_cast<uint32_t>(product1 >> 32) ^ x1 ^ key0;
    x1 = static_cast<uint32_t>(product1);
    x2 = static_cast<uint32_t>(product0 >> 32) ^ x3 ^ key1;
    x3 = static_cast<uint32_t>(product0);
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return {{x0, x1, x2, x3}};
}

__device__ Unfused natural_log(float x) {
  constexpr float kP[] = {7.0376836292e-2f,  -1.1514610310e-1f, 1.1676998740e-1f,
                          -1.2420140846e-1f, 1.4249322787e-1f,  -1.6668057665e-1f,
                          2.0000714765e-1f,  -2.4999993993e-1f, 3.3333331174e-1f};
  auto bits = static_cast<int32_t>(__float_as_uint(x));
  const int32_t exponent = (bits - 0x3f3504f3) >> 23;
  bits -= exponent * (1 << 23);
  const Unfused m = Unfused(__uint_as_float(static_cast<uint32_t>(bits))) - 1;
  Unfused p = kP[0];
#pragma unroll
  for (int i = 1; i < 9; ++i) p = p * m + kP[i];
  return m + (m * m * (p * m - 0.5f) + Unfused(static_cast<float>(exponent)) * 0.693147180559945f);
}

__device__ void sine_cosine(Unfused turns, float& sine, float& cosine) {
  const auto quarter = static_cast<int32_t>((turns * 4 + 0.5f).value);
  const Unfused angle = (turns - Unfused(static_cast<float>(quarter)) * 0.25f) * 6.283185307179586f;
  const Unfused square = angle * angle;
  const Unfused s =
      angle * (Unfused(1) + square * (Unfused(-1.6666667e-1f) +
                                      square * (Unfused(8.3333333e-3f) +
                                                square * (Unfused(-1.9841270e-4f) + square * 2.7557e-6f))));
  const Unfused c =
      Unfused(1) +
      square * (Unfused(-0.5f) + square * (Unfused(4.1666667e-2f) +
                                           square * (Unfused(-1.3888889e-3f) + square * 2.48016e-5f)));
  const bool odd = (quarter & 1) != 0;
  const float positive_sine = odd ? c.value : s.value;
  const float positive_cosine = odd ? s.value : c.value;
  sine = (quarter & 2) != 0 ? -positive_sine : positive_sine;
  cosine = ((quarter + 1) & 2) != 0 ? -positive_cosine : positive_cosine;
}

__device__ float2 box_muller(uint32_t radius_word, uint32_t angle_word, Unfused mean, Unfused std) {
  const float uniform = __fmul_rn(static_cast<float>((radius_word >> 8) + 1), 0x1p-24f);
  const float turns = __fmul_rn(static_cast<float>(angle_word >> 8), 0x1p-24f);
  const Unfused radius = __fsqrt_rn((Unfused(-2) * natural_log(uniform)).value);
  float sine, cosine;
  sine_cosine(turns, sine, cosine);
  return {(radius * cosine * std + mean).value, (radius * sine * std + mean).value};
}

template <class T>
__global__ void __launch_bounds__(kLoopThreads, kLoopBlocks)
    random_normal_kernel(uint32_t seed, float mean, float std, T* y, int64_t count) {
  grid_loop((count + kBlockSize - 1) / kBlockSize * kCounters, [&](int64_t counter) {
    const Words words = philox(seed, static_cast<uint64_t>(counter));
    const float2 first = box_muller(words.word[0], words.word[1], mean, std);
    const float2 second = box_muller(words.word[2], words.word[3], mean, std);
    const float values[4] = {first.x, first.y, second.x, second.y};
    const int64_t index = counter / kCounters * kBlockSize + counter % kCounters;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (index + i * kCounters < count) y[index + i * kCounters] = from_float<T>(values[i]);
    }
  });
}

void record(const RandomNormal& attributes, const NodeView& node, CudaEncoder& encoder) {
  with_element(attributes.dtype, [&](auto element) {
    using T = decltype(element);
    const int64_t count = node.output().shape.size();
    encoder.launch("random_normal", random_normal_kernel<T>,
                   loop_shape(ceil_divide(count, kBlockSize) * kCounters, encoder.device()), attributes.seed,
                   attributes.mean, attributes.std, node.output().as<T>(), count);
  });
}

}  // namespace

namespace ops {
Op random_normal() {
  CudaOpSpec<RandomNormal> spec;
  spec.validate = RandomNormal::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
