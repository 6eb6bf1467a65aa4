// Functions of the addon that concern CUDA devices.
#include "addon/convert.h"
#include "addon/devices.h"
#include "addon/functions.h"
#include "addon/handles.h"
#include "runtime/cuda_library.h"
#include "runtime/runtime.h"

namespace ipai::addon {

ComputeDevice& to_device(Napi::Value value, const std::string& name) {
  if (value.IsUndefined()) return Runtime::get().cpu();
  return *get_object<CudaDevice>(value, name);
}

Napi::Value open_cuda(const Napi::CallbackInfo& info) {
  const std::string library = to_string(info[0], "openCuda: library");
  const int32_t index = to_int32(info[1], "openCuda: index");
  CudaDevice* const device = take(info.Env(), Runtime::get().open_cuda(library, index));
  // The runtime's own, to the end of the process.
  return make_handle(info.Env(), std::shared_ptr<CudaDevice>(std::shared_ptr<void>(), device));
}

Napi::Value count_cuda_devices(const Napi::CallbackInfo& info) {
  const std::string library = to_string(info[0], "countCudaDevices: library");
  return Napi::Number::New(info.Env(), take(info.Env(), Runtime::get().count_cuda_devices(library)));
}

Napi::Value cuda_info(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto device = get_object<CudaDevice>(info[0], "cudaInfo: device");
  const CudaDeviceInfo described = take(env, device->info());
  const CudaMachine machine = take(env, device->machine());
  Napi::Object result = Napi::Object::New(env);
  result.Set("index", device->index());
  result.Set("name", described.name);
  result.Set("computeCapability", described.traits.compute_capability / 10.0);
  result.Set("multiprocessors", described.traits.multiprocessors);
  result.Set("sharedBytesPerBlock", static_cast<double>(described.traits.shared_bytes_per_block));
  result.Set("totalMemoryBytes", static_cast<double>(described.total_bytes));
  result.Set("freeMemoryBytes", static_cast<double>(described.free_bytes));
  result.Set("driverVersion", cuda_version_text(machine.driver_version));
  result.Set("runtimeVersion", cuda_version_text(machine.runtime_version));
  result.Set("deviceCount", machine.device_count);
  return result;
}

}  // namespace ipai::addon
