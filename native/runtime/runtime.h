// The process's runtime: its devices, each made at first use, and shared by all JavaScript threads.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/compute_device.h"
#include "runtime/cuda_device.h"

namespace ipai {

struct RuntimeOptions {
  // Threads for one op; 0 for as many as there are cores for this process.
  int threads = 0;
  // Processes that compute on the cores of this one, itself included: each takes its share where `threads` is
  // 0.
  int core_sharers = 1;
  // Name of a CPU target; empty for the widest that this machine runs.
  std::string target;
};

class Runtime {
 public:
  // Makes the runtime. When it is there already, options that are given (not 0, not empty) must be the ones
  // it has.
  static Status configure(const RuntimeOptions& options);
  // The runtime, made with default options if need be.
  static Runtime& get();

  CpuTarget target() const { return target_; }
  int thread_count() const { return thread_count_; }
  ComputeDevice& cpu() { return cpu_; }

  // A CUDA device through the library of that path, which the first call of a process settles.
  Result<CudaDevice*> open_cuda(const std::string& library_path, int index);

  // Devices that the driver finds, through the same library. None is opened.
  Result<int> count_cuda_devices(const std::string& library_path);

  // Ends all jobs of CUDA devices, for good.
  void stop_cuda();

  // Ends jobs on whichever device they are: see Executor.
  void cancel(const std::shared_ptr<CancelToken>& token);
  void drain(const void* owner);

 private:
  Runtime(CpuTarget target, int thread_count)
      : target_(target), thread_count_(thread_count), cpu_(target, thread_count) {}
  Status check_same(const RuntimeOptions& options) const;
  std::vector<ComputeDevice*> devices();
  // To be called with the mutex.
  Result<const CudaInterface*> cuda_library(const std::string& path);

  CpuTarget target_;
  int thread_count_;
  CpuDevice cpu_;
  std::mutex cuda_mutex_;
  const CudaInterface* cuda_ = nullptr;
  std::vector<std::unique_ptr<CudaDevice>> cuda_devices_;
};

}  // namespace ipai
