// One launch of a CUDA kernel as data: what plain launches, graphs and the tests' emulation all take.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

namespace ipai {

struct GridExtent {
  uint32_t x = 1;
  uint32_t y = 1;
  uint32_t z = 1;
};

// Blocks are one-dimensional: `threads` is a multiple of 32, at most 1024.
struct LaunchShape {
  GridExtent grid;
  uint32_t threads = 0;
  size_t dynamic_shared_bytes = 0;
};

// Kernel arguments, copied. `offsets` has where each begins in `bytes`.
struct KernelArguments {
  std::vector<std::byte> bytes;
  std::vector<size_t> offsets;

  template <class T>
  void add(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>, "kernel arguments are copied as bytes");
    const size_t offset = (bytes.size() + alignof(T) - 1) / alignof(T) * alignof(T);
    bytes.resize(offset + sizeof(T));
    std::memcpy(bytes.data() + offset, &value, sizeof(T));
    offsets.push_back(offset);
  }
  template <class T>
  T get(size_t index) const {
    T value;
    std::memcpy(&value, bytes.data() + offsets[index], sizeof(T));
    return value;
  }
};

struct KernelLaunch {
  // For messages and profiles.
  const char* name = nullptr;
  // The kernel's host address, by which the CUDA runtime knows it.
  const void* kernel = nullptr;
  LaunchShape shape;
  KernelArguments arguments;
  // Calls `kernel` as the host function that it is where its source was compiled as C++: for the emulation.
  void (*call_on_host)(const KernelLaunch&) = nullptr;
};

// The arguments are converted to the kernel's parameter types, as in a call.
template <class... Parameters>
struct KernelLaunchMaker {
  template <class... Arguments>
  static KernelLaunch make(const char* name, void (*kernel)(Parameters...), const LaunchShape& shape,
                           Arguments... arguments) {
    static_assert(sizeof...(Parameters) == sizeof...(Arguments), "as many arguments as the kernel takes");
    KernelLaunch launch{name, reinterpret_cast<const void*>(kernel), shape, {}, call_on_host};
    (launch.arguments.add<std::decay_t<Parameters>>(arguments), ...);
    return launch;
  }

 private:
  static void call_on_host(const KernelLaunch& launch) {
    call(launch, std::index_sequence_for<Parameters...>());
  }
  template <size_t... kIndex>
  static void call(const KernelLaunch& launch, std::index_sequence<kIndex...>) {
    const auto kernel = reinterpret_cast<void (*)(Parameters...)>(const_cast<void*>(launch.kernel));
    kernel(launch.arguments.get<std::decay_t<Parameters>>(kIndex)...);
  }
};

}  // namespace ipai
