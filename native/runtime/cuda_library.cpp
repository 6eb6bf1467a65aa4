#include "runtime/cuda_library.h"

#include <dlfcn.h>

namespace ipai {
namespace {

// The oldest that the kernels' instructions are for.
constexpr int kMinComputeCapability = 80;

Status unavailable(const std::string& message) {
  return {ErrorCode::kDeviceUnavailable, "cuda: " + message};
}

std::string capability_text(int capability) {
  return std::to_string(capability / 10) + "." + std::to_string(capability % 10);
}

}  // namespace

std::string cuda_version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::string nccl_version_text(int version) {
  return std::to_string(version / 10000) + "." + std::to_string(version % 10000 / 100) + "." +
         std::to_string(version % 100);
}

Status from_cuda(const CudaStatus& status, const std::string& scope) {
  if (status.ok()) return Status::success();
  return {static_cast<ErrorCode>(status.code), status.message, scope};
}

Result<const CudaInterface*> open_cuda_library(const std::string& path) {
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const problem = dlerror();
    return unavailable(std::string("the library cannot be opened: ") + (problem ? problem : path) + ".");
  }
  const auto function = reinterpret_cast<CudaInterfaceFunction>(dlsym(library, kCudaInterfaceSymbol));
  if (function == nullptr)
    return unavailable(path + " is not a library of ip-adapter-instruct. Reinstall the package.");
  const CudaInterface* const cuda = function();
  if (cuda->version != kCudaInterfaceVersion || cuda->bytes != sizeof(CudaInterface)) {
    return unavailable(path + " speaks version " + std::to_string(cuda->version) +
                       " of the interface, the addon version " + std::to_string(kCudaInterfaceVersion) +
                       ". Install packages of the same version.");
  }
  return cuda;
}

Status check_cuda_machine(const CudaInterface& cuda, int index) {
  CudaMachine machine;
  if (Status status = from_cuda(cuda.machine(&machine)); !status.ok()) return status;
  if (machine.driver_version == 0) {
    return unavailable(
        "no NVIDIA driver was found. Install one; a container needs access to the host's (docker run --gpus "
        "all).");
  }
  if (machine.driver_version / 1000 < machine.runtime_version / 1000) {
    return unavailable("the NVIDIA driver serves CUDA " + cuda_version_text(machine.driver_version) + "; " +
                       std::to_string(machine.runtime_version / 1000) + ".0 or newer is needed. Update it.");
  }
  if (machine.device_count == 0) {
    return unavailable(
        "the NVIDIA driver finds no device. Is one hidden by CUDA_VISIBLE_DEVICES, or not passed on to this "
        "container?");
  }
  if (index < 0 || index >= machine.device_count) {
    return unavailable("expected a device from 0 to " + std::to_string(machine.device_count - 1) + ", got " +
                       std::to_string(index) + ".");
  }
  CudaDeviceInfo info;
  if (Status status = from_cuda(cuda.describe(index, &info)); !status.ok()) return status;
  if (info.traits.compute_capability < kMinComputeCapability) {
    return unavailable("device " + std::to_string(index) + ", " + info.name + ", has compute capability " +
                       capability_text(info.traits.compute_capability) + "; " +
                       capability_text(kMinComputeCapability) + " or newer is needed.");
  }
  return Status::success();
}

}  // namespace ipai
