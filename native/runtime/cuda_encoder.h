// Where CUDA ops write down their kernels. Recording never launches: whoever owns the encoder launches the
// records on a stream, makes graph nodes of them, or (tests) runs them on the host.
#pragma once

#include <cstddef>
#include <vector>

#include "runtime/device_traits.h"
#include "runtime/kernel_launch.h"

namespace ipai {

class CudaEncoder {
 public:
  explicit CudaEncoder(const DeviceTraits& device) : device_(device) {}

  const DeviceTraits& device() const { return device_; }

  // Device memory of at least the bytes that the op's `scratch_bytes` asked for, aligned to 256 bytes.
  std::byte* scratch() const { return scratch_; }
  void set_scratch(std::byte* scratch) { scratch_ = scratch; }

  // Launches run one after another, each seeing what those before have written. `name` must outlive the
  // encoder: a literal.
  template <class... Parameters, class... Arguments>
  void launch(const char* name, void (*kernel)(Parameters...), const LaunchShape& shape,
              Arguments... arguments) {
    launches_.push_back(KernelLaunchMaker<Parameters...>::make(name, kernel, shape, arguments...));
  }

  const std::vector<KernelLaunch>& launches() const { return launches_; }

 private:
  DeviceTraits device_;
  std::byte* scratch_ = nullptr;
  std::vector<KernelLaunch> launches_;
};

}  // namespace ipai
