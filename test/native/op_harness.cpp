#include "op_harness.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ostream>
#include <stdexcept>

#include "runtime/thread_pool.h"

namespace ipai::test {
namespace {

float float_of_half(uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  float magnitude = exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                  : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  if (exponent == 31) magnitude = fraction == 0 ? INFINITY : NAN;
  return bits & 0x8000 ? -magnitude : magnitude;
}

// For NaN and values of a normal half's range, truncated: test data need no correct rounding.
uint16_t half_of_float(float value) {
  if (std::isnan(value)) return 0x7e00;
  int exponent = 0;
  const float fraction = std::frexp(std::fabs(value), &exponent);
  if (fraction == 0 || exponent < -13) return 0;
  const auto digits = static_cast<uint16_t>(fraction * 2048);
  return static_cast<uint16_t>((value < 0 ? 0x8000 : 0) | ((exponent + 14) << 10) | (digits & 1023));
}

}  // namespace

const Op& Target::op(const std::string& op_name) const {
  for (const Op& op : ops) {
    if (op.name == op_name) return op;
  }
  throw std::runtime_error("no op called " + op_name);
}

const std::vector<Target>& targets() {
  static const std::vector<Target> kTargets = [] {
    std::vector<Target> found;
    const auto add = [&](const char* name, std::vector<Op> (*all_ops)()) {
      if (choose_cpu_target(name).ok()) {
        found.push_back({name, all_ops()});
      } else {
        std::fprintf(stderr, "skipped: target %s, which this machine cannot run\n", name);
      }
    };
    add("portable", portable::all_ops);
#if defined(IPAI_HAS_AVX2)
    add("avx2", avx2::all_ops);
#endif
#if defined(IPAI_HAS_AVX512)
    add("avx512", avx512::all_ops);
#endif
#if defined(IPAI_HAS_AVX512_BF16)
    add("avx512_bf16", avx512_bf16::all_ops);
#endif
    return found;
  }();
  return kTargets;
}

HostTensor::HostTensor(DType dtype, const std::vector<int64_t>& extents, std::optional<size_t> bytes) {
  type_.dtype = dtype;
  type_.shape = Shape(extents);
  bytes_ = bytes.value_or(type_.dense_bytes());
  memory_.reset(new std::byte[bytes_]);
  std::memset(memory_.get(), 0xff, bytes_);
}

HostTensor HostTensor::random(DType dtype, const std::vector<int64_t>& extents, uint32_t seed) {
  HostTensor tensor(dtype, extents);
  uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
  for (int64_t i = 0; i < tensor.type_.shape.size(); ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    tensor.set(i, static_cast<double>(state >> 40) / (1 << 23) - 1);
  }
  return tensor;
}

HostTensor HostTensor::as(DType dtype) const {
  if (type_.absent) return {};
  std::vector<int64_t> extents;
  for (int axis = 0; axis < type_.shape.rank(); ++axis) extents.push_back(type_.shape[axis]);
  HostTensor result(dtype, extents);
  for (int64_t i = 0; i < type_.shape.size(); ++i) result.set(i, at(i));
  return result;
}

HostTensor HostTensor::copied_to_offset(size_t offset) const {
  HostTensor copy = *this;
  const std::shared_ptr<std::byte[]> memory(new std::byte[bytes_ + offset]);
  std::memcpy(memory.get() + offset, data(), bytes_);
  copy.memory_ = std::shared_ptr<std::byte[]>(memory, memory.get() + offset);
  return copy;
}

TensorView HostTensor::view() const {
  TensorView view;
  static_cast<TensorType&>(view) = type_;
  view.data = memory_.get();
  return view;
}

double HostTensor::at(int64_t index) const {
  const std::byte* element = data() + static_cast<size_t>(index) * dtype_size(type_.dtype);
  uint16_t half = 0;
  uint32_t bits = 0;
  if (dtype_size(type_.dtype) == 2) {
    std::memcpy(&half, element, sizeof(half));
    if (type_.dtype == DType::kFloat16) return float_of_half(half);
    bits = static_cast<uint32_t>(half) << 16;
  } else {
    std::memcpy(&bits, element, sizeof(bits));
    if (type_.dtype == DType::kInt32) return static_cast<int32_t>(bits);
  }
  float value = 0;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

void HostTensor::set(int64_t index, double value) {
  std::byte* element = data() + static_cast<size_t>(index) * dtype_size(type_.dtype);
  const auto single = static_cast<float>(value);
  uint32_t bits = 0;
  std::memcpy(&bits, &single, sizeof(bits));
  if (type_.dtype == DType::kInt32) bits = static_cast<uint32_t>(static_cast<int32_t>(value));
  if (dtype_size(type_.dtype) == 4) {
    std::memcpy(element, &bits, sizeof(bits));
  } else {
    const auto half =
        type_.dtype == DType::kFloat16 ? half_of_float(single) : static_cast<uint16_t>(bits >> 16);
    std::memcpy(element, &half, sizeof(half));
  }
}

NodeTypes node_types(const std::vector<HostTensor>& inputs, const TensorType& output,
                     const DeviceTraits& device) {
  NodeTypes types;
  types.device = device;
  for (const HostTensor& input : inputs) types.inputs.push_back(input.type());
  types.outputs.push_back(output);
  return types;
}

std::shared_ptr<const void> parse(const Op& op, const AttributeMap& attributes) {
  std::string error;
  std::shared_ptr<const void> parsed = op.parse(attributes, error);
  REQUIRE_EQ(error, "");
  return parsed;
}

std::string validate(const Op& op, const AttributeMap& attributes, const std::vector<HostTensor>& inputs,
                     const TensorType& output, const DeviceTraits& device) {
  const std::shared_ptr<const void> parsed = parse(op, attributes);
  return op.validate ? op.validate(parsed.get(), node_types(inputs, output, device)) : "";
}

HostTensor run(const Op& op, const AttributeMap& attributes, const std::vector<HostTensor>& inputs,
               DType output_dtype, const std::vector<int64_t>& output_extents, RunOptions options) {
  const std::shared_ptr<const void> parsed = parse(op, attributes);
  HostTensor output(output_dtype, output_extents);
  const NodeTypes types = node_types(inputs, output.type(), {Device::kCpu, options.threads});
  if (op.validate) REQUIRE_EQ(op.validate(parsed.get(), types), "");
  if (op.output_bytes)
    output = HostTensor(output_dtype, output_extents, op.output_bytes(parsed.get(), types));
  if (options.in_place_input >= 0) output = inputs[static_cast<size_t>(options.in_place_input)];
  for (size_t i = 0; i < inputs.size() && op.input_bytes; ++i) {
    if (inputs[i].type().absent) continue;
    REQUIRE_GE(inputs[i].byte_size(), op.input_bytes(parsed.get(), types, static_cast<int>(i)));
  }

  ThreadPool pool(options.threads);
  const size_t scratch_bytes = op.scratch_bytes ? op.scratch_bytes(parsed.get(), types) : 0;
  const std::unique_ptr<std::byte, decltype(&std::free)> scratch(
      static_cast<std::byte*>(std::aligned_alloc(64, (scratch_bytes + 63) / 64 * 64)), &std::free);
  if (scratch_bytes > 0) std::memset(scratch.get(), 0xff, scratch_bytes);

  std::vector<TensorView> input_views;
  for (const HostTensor& input : inputs) input_views.push_back(input.view());
  const TensorView output_view = output.view();
  CpuContext context(pool, scratch.get());
  op.run(parsed.get(), {input_views.data(), static_cast<int>(input_views.size()), &output_view, 1}, context);
  return output;
}

}  // namespace ipai::test
