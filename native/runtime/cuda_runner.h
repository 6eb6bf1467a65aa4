// Runs programs on a CUDA device, one at a time, with one arena for all.
#pragma once

#include <atomic>

#include "runtime/cuda_interface.h"
#include "runtime/cuda_program.h"
#include "runtime/runner.h"

namespace ipai {

class CudaRunner : public Runner {
 public:
  CudaRunner(const CudaInterface& cuda, CudaDeviceHandle* device, int index)
      : cuda_(cuda), device_(device), index_(index) {}

  JobResult run(const Job& job) override;
  void trim() override;
  size_t arena_bytes() const override { return arena_bytes_; }
  size_t peak_arena_bytes() const override { return peak_arena_bytes_; }

 private:
  Status reserve_arena(size_t bytes);
  Status run_program(const Job& job, std::vector<NodeTime>& profile);
  Status launch_nodes(const Job& job, const CudaAddresses& addresses);
  Status time_nodes(const Job& job, const CudaAddresses& addresses, std::vector<NodeTime>& profile);
  // The device's errors come late; after this, they are those of what was launched before.
  Status wait(const std::string& scope);
  Status check_output(const Job& job, size_t node, const CudaAddresses& addresses);

  const CudaInterface& cuda_;
  CudaDeviceHandle* device_;
  int index_;
  std::byte* arena_ = nullptr;
  std::atomic<size_t> arena_bytes_{0};
  std::atomic<size_t> peak_arena_bytes_{0};
};

}  // namespace ipai
