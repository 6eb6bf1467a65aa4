// Runs one op of one CPU target on host arrays, for tests that compare kernels with plain loops in float64.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/cpu_context.h"
#include "runtime/cpu_target.h"
#include "runtime/op.h"

namespace ipai {

#define IPAI_DECLARE_TARGET(target) \
  namespace target {                \
  std::vector<Op> all_ops();        \
  }
IPAI_DECLARE_TARGET(portable)
#if defined(__x86_64__)
IPAI_DECLARE_TARGET(avx2)
IPAI_DECLARE_TARGET(avx512)
IPAI_DECLARE_TARGET(avx512_bf16)
#endif
#undef IPAI_DECLARE_TARGET

}  // namespace ipai

namespace ipai::test {

struct Target {
  std::string name;
  std::vector<Op> ops;

  const Op& op(const std::string& op_name) const;
};

// The targets of this build that this machine can run; the others are named on stderr, once.
const std::vector<Target>& targets();

// A tensor with its own memory, exactly as large as it must be, so that a sanitizer sees every step beyond
// it.
class HostTensor {
 public:
  HostTensor() { type_.absent = true; }
  HostTensor(DType dtype, const std::vector<int64_t>& extents, std::optional<size_t> bytes = std::nullopt);

  // Pseudo-random values in (-1, 1), rounded to the dtype; equal seeds give equal values.
  static HostTensor random(DType dtype, const std::vector<int64_t>& extents, uint32_t seed);

  // The same values, rounded to another dtype.
  HostTensor as(DType dtype) const;
  // The same values in memory of their own.
  HostTensor clone() const { return copied_to_offset(0); }
  // The same values at an address that is no multiple of anything, as in a memory-mapped file.
  HostTensor at_odd_address() const { return copied_to_offset(1); }

  const TensorType& type() const { return type_; }
  TensorView view() const;
  std::byte* data() const { return memory_.get(); }
  size_t byte_size() const { return bytes_; }
  double at(int64_t index) const;
  void set(int64_t index, double value);
  bool has_bits_of(const HostTensor& other) const {
    return bytes_ == other.bytes_ && std::memcmp(data(), other.data(), bytes_) == 0;
  }

 private:
  HostTensor copied_to_offset(size_t offset) const;

  TensorType type_;
  size_t bytes_ = 0;
  std::shared_ptr<std::byte[]> memory_;
};

// The op's attributes; fails the test when they do not fit.
std::shared_ptr<const void> parse(const Op& op, const AttributeMap& attributes);
NodeTypes node_types(const std::vector<HostTensor>& inputs, const TensorType& output,
                     const DeviceTraits& device);

// Why the op refuses these types; empty when it takes them.
std::string validate(const Op& op, const AttributeMap& attributes, const std::vector<HostTensor>& inputs,
                     const TensorType& output, const DeviceTraits& device = {});

struct RunOptions {
  int threads = 1;
  // The output takes over this input's memory.
  int in_place_input = -1;
};

// Output memory and scratch are filled with NaNs beforehand. Fails the test when the op refuses.
HostTensor run(const Op& op, const AttributeMap& attributes, const std::vector<HostTensor>& inputs,
               DType output_dtype, const std::vector<int64_t>& output_extents, RunOptions options = {});

}  // namespace ipai::test
