// Which of the compiled instruction sets this machine can run.
#pragma once

#include <string>
#include <vector>

#include "runtime/status.h"

namespace ipai {

enum class CpuTarget { kPortable, kAvx2, kAvx512 };

constexpr const char* cpu_target_name(CpuTarget target) {
  return target == CpuTarget::kAvx512 ? "avx512" : target == CpuTarget::kAvx2 ? "avx2" : "portable";
}

// Instruction set extensions that matter to kernels and that both processor and operating system support,
// e.g. {"avx2", "fma", "f16c", "avx512f"}.
std::vector<std::string> cpu_features();

// The target called `name`, or the widest one when `name` is empty. Fails when it is unknown, not in this
// build, or more than this machine can run.
Result<CpuTarget> choose_cpu_target(const std::string& name);

}  // namespace ipai
