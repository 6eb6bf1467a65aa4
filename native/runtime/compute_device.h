// A device: ops, a thread that runs programs one after another, and the memory that these read and write.
#pragma once

#include <memory>

#include "runtime/executor.h"
#include "runtime/op_registry.h"

namespace ipai {

struct DeviceMemoryUsage {
  size_t buffer_bytes = 0;
  size_t peak_buffer_bytes = 0;
};

class ComputeDevice {
 public:
  ComputeDevice(const DeviceTraits& traits, OpRegistry registry, std::unique_ptr<Runner> runner)
      : traits_(traits), registry_(std::move(registry)), executor_(std::move(runner)) {}
  virtual ~ComputeDevice() = default;

  const DeviceTraits& traits() const { return traits_; }
  const OpRegistry& registry() const { return registry_; }
  Executor& executor() { return executor_; }
  Result<std::shared_ptr<const Program>> compile(const ProgramDescription& description);

  // As errors call it: "cpu", "cuda:0".
  virtual std::string name() const = 0;
  // Memory of undefined content.
  virtual Result<std::shared_ptr<Buffer>> allocate(size_t bytes) = 0;
  virtual DeviceMemoryUsage memory_usage() const = 0;
  // Whether a buffer lies where this device's programs read it.
  virtual bool holds(const Buffer& buffer) const = 0;
  // Between this device's memory and the host's, or within the former. On the executor's thread.
  virtual Status copy(Buffer& target, size_t offset, const Buffer& source) = 0;

 private:
  DeviceTraits traits_;
  OpRegistry registry_;
  Executor executor_;
};

class CpuDevice : public ComputeDevice {
 public:
  CpuDevice(CpuTarget target, int thread_count);

  std::string name() const override { return "cpu"; }
  Result<std::shared_ptr<Buffer>> allocate(size_t bytes) override { return Buffer::allocate(bytes); }
  DeviceMemoryUsage memory_usage() const override { return {buffer_bytes(), peak_buffer_bytes()}; }
  bool holds(const Buffer& buffer) const override { return buffer.device() == nullptr; }
  Status copy(Buffer& target, size_t offset, const Buffer& source) override;
};

}  // namespace ipai
