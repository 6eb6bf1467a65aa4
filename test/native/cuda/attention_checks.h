// What the tests of attention ops on CUDA share.
#pragma once

#include "checks.h"
#include "cuda_harness.h"

namespace ipai::test {

// What an attention multiplies, of tensors that it does not.
struct AttentionExtents {
  int64_t batch, queries, keys, heads, head_size;

  int64_t channels() const { return heads * head_size; }
  HostTensor tokens(DType dtype, int64_t count, uint32_t seed) const {
    return HostTensor::random(dtype, {batch, count, channels()}, seed);
  }
  std::vector<int64_t> output() const { return {batch, queries, channels()}; }
};

// Without products of warpgroups.
inline constexpr DeviceTraits kWarpDevice = {Device::kCuda, 1, 89, 132, 99 * 1024};
// Of one multiprocessor: what fills a device is small there.
inline constexpr DeviceTraits kSmallDevice = {Device::kCuda, 1, 90, 1, 227 * 1024};
inline constexpr DeviceTraits kSmallWarpDevice = {Device::kCuda, 1, 89, 1, 99 * 1024};

// body(device) for devices that take different ways with heads of this size.
template <class Body>
void for_each_way(int64_t head_size, Body body) {
  body(kCudaDevice);
  if (head_size == 40 || head_size == 80 || head_size == 160) body(kWarpDevice);
}

// Checks that an op records these kernels. The library of a real device does not tell what it records.
inline void check_launches(const std::string& op_name, const AttributeMap& attributes,
                           const std::vector<HostTensor>& inputs, const std::vector<int64_t>& output_extents,
                           const DeviceTraits& device, const std::vector<std::string>& kernels) {
  const Op& op = cuda_op(op_name);
  if (!op.record) return;
  std::vector<TensorView> views;
  for (const HostTensor& input : inputs) views.push_back(input.view());
  const TensorView output = HostTensor(inputs[0].type().dtype, output_extents).view();
  CudaEncoder encoder(device);
  op.record(parse(op, attributes).get(), {views.data(), static_cast<int>(views.size()), &output, 1}, encoder);
  std::vector<std::string> names;
  for (const KernelLaunch& launch : encoder.launches()) {
    names.emplace_back(launch.name);
    CHECK_LE(launch.shape.dynamic_shared_bytes, device.shared_bytes_per_block);
  }
  CHECK_EQ(names, kernels);
}

// body(dtype) for those that the tensor cores take.
template <class Body>
void for_each_half_dtype(Body body) {
  for (const DType dtype : {DType::kFloat16, DType::kBFloat16}) {
    INFO(std::string(dtype_name(dtype)));
    body(dtype);
  }
}

inline HostTensor magnitudes_of(const HostTensor& x) {
  HostTensor result = x.clone();
  for (int64_t i = 0; i < x.type().shape.size(); ++i) result.set(i, std::fabs(x.at(i)));
  return result;
}

// Largest error in units of what rounding explains: that of each weight and that of the result, by at most
// `unit` of them (2^-11 or 2^-8; 0 in float32). `magnitudes` is the attention to |v|, so that weights account
// for
//   |Σ rounded weight · v - Σ weight · v| <= unit · Σ weight · |v|.
// The rest, of sums and exponentials in float32, is far below: 4e-6, and it grows with the scores.
inline double error_of_rounding(const HostTensor& got, const HostTensor& expected,
                                const HostTensor& magnitudes, double score = 1) {
  const double unit = got.type().dtype == DType::kBFloat16  ? 0x1p-8
                      : got.type().dtype == DType::kFloat16 ? 0x1p-11
                                                            : 0;
  double worst = 0;
  for (int64_t i = 0; i < got.type().shape.size(); ++i) {
    const double error = std::fabs(got.at(i) - expected.at(i));
    const double allowed = unit * (std::fabs(expected.at(i)) + (1 + unit) * magnitudes.at(i)) + 4e-6 * score;
    worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(worst, error / allowed);
  }
  return worst;
}

}  // namespace ipai::test
