#include "runtime/compute_device.h"

#include <cstring>

#include "runtime/program_runner.h"

namespace ipai {

Result<std::shared_ptr<const Program>> ComputeDevice::compile(const ProgramDescription& description) {
  return compile_program(description, registry_, traits_, this);
}

CpuDevice::CpuDevice(CpuTarget target, int thread_count)
    : ComputeDevice({Device::kCpu, thread_count}, OpRegistry(target),
                    std::make_unique<ProgramRunner>(thread_count)) {}

Status CpuDevice::copy(Buffer& target, size_t offset, const Buffer& source) {
  // They may be views of one buffer.
  std::memmove(target.data() + offset, source.data(), source.size());
  return Status::success();
}

}  // namespace ipai
