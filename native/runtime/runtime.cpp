#include "runtime/runtime.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "runtime/cpu_count.h"
#include "runtime/cuda_library.h"

namespace ipai {
namespace {

std::mutex mutex;
// Destroyed when the process ends or the library is unloaded, which stops the executor's threads first.
std::unique_ptr<Runtime> instance;

constexpr int kMaxThreads = 1024;

// At the end of the process, before what the CUDA library and the driver have registered for it: they tear
// down what a run would need.
void stop_cuda_at_exit() {
  if (instance) instance->stop_cuda();
}

}  // namespace

Status Runtime::configure(const RuntimeOptions& options) {
  std::lock_guard<std::mutex> lock(mutex);
  if (instance) return instance->check_same(options);
  if (options.threads < 0 || options.threads > kMaxThreads) {
    return Status::invalid("threads: expected 1 to " + std::to_string(kMaxThreads) + " but received " +
                           std::to_string(options.threads) + ".");
  }
  Result<CpuTarget> target = choose_cpu_target(options.target);
  if (!target.ok()) return target.status();
  const int share = std::max(1, available_cores() / options.core_sharers);
  instance.reset(new Runtime(target.value(), options.threads > 0 ? options.threads : share));
  return Status::success();
}

Runtime& Runtime::get() {
  // Default options fit any machine and any runtime that is there already: this cannot fail.
  (void)configure({});
  return *instance;
}

Status Runtime::check_same(const RuntimeOptions& options) const {
  if (options.threads != 0 && options.threads != thread_count_) {
    return Status::invalid("threads: this process already computes with " + std::to_string(thread_count_) +
                           " threads, and cannot change to " + std::to_string(options.threads) + ".");
  }
  if (!options.target.empty() && options.target != cpu_target_name(target_)) {
    return Status::invalid(std::string("CPU target: this process already uses ") + cpu_target_name(target_) +
                           ", and cannot change to '" + options.target + "'.");
  }
  return Status::success();
}

Result<CudaDevice*> Runtime::open_cuda(const std::string& library_path, int index) {
  std::lock_guard<std::mutex> lock(cuda_mutex_);
  for (const auto& device : cuda_devices_) {
    if (device->index() == index) return device.get();
  }
  Result<const CudaInterface*> cuda = cuda_library(library_path);
  if (!cuda.ok()) return cuda.status();
  Result<std::unique_ptr<CudaDevice>> device = CudaDevice::open(*cuda.value(), index);
  if (!device.ok()) return device.status();
  if (cuda_devices_.empty()) std::atexit(stop_cuda_at_exit);
  return cuda_devices_.emplace_back(std::move(device.value())).get();
}

Result<int> Runtime::count_cuda_devices(const std::string& library_path) {
  std::lock_guard<std::mutex> lock(cuda_mutex_);
  Result<const CudaInterface*> cuda = cuda_library(library_path);
  if (!cuda.ok()) return cuda.status();
  CudaMachine machine;
  if (Status status = from_cuda(cuda.value()->machine(&machine)); !status.ok()) return status;
  return machine.device_count;
}

Result<const CudaInterface*> Runtime::cuda_library(const std::string& path) {
  if (cuda_ == nullptr) {
    Result<const CudaInterface*> library = open_cuda_library(path);
    if (!library.ok()) return library.status();
    cuda_ = library.value();
  }
  return cuda_;
}

void Runtime::stop_cuda() {
  std::lock_guard<std::mutex> lock(cuda_mutex_);
  for (const auto& device : cuda_devices_) device->executor().stop();
}

void Runtime::cancel(const std::shared_ptr<CancelToken>& token) {
  for (ComputeDevice* const device : devices()) device->executor().cancel(token);
}

void Runtime::drain(const void* owner) {
  for (ComputeDevice* const device : devices()) device->executor().drain(owner);
}

std::vector<ComputeDevice*> Runtime::devices() {
  std::vector<ComputeDevice*> all = {&cpu_};
  std::lock_guard<std::mutex> lock(cuda_mutex_);
  for (const auto& device : cuda_devices_) all.push_back(device.get());
  return all;
}

}  // namespace ipai
