// Which of the compiled instruction sets this machine can run.
#pragma once

#include <string>
#include <vector>

#include "runtime/status.h"

namespace ipai {

enum class CpuTarget { kPortable, kAvx2, kAvx512, kAvx512Bf16 };

constexpr const char* cpu_target_name(CpuTarget target) {
  switch (target) {
    case CpuTarget::kAvx512Bf16:
      return "avx512_bf16";
    case CpuTarget::kAvx512:
      return "avx512";
    case CpuTarget::kAvx2:
      return "avx2";
    default:
      return "portable";
  }
}

// Instruction set extensions that matter to kernels and that both processor and operating system support,
// e.g. {"avx2", "fma", "f16c", "avx512f"}.
std::vector<std::string> cpu_features();

// The target called `name`, or the widest one when `name` is empty. Fails when it is unknown, not in this
// build, or more than this machine can run.
Result<CpuTarget> choose_cpu_target(const std::string& name);

}  // namespace ipai
