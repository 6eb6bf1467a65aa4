#include "runtime/cpu_target.h"

#include <algorithm>
#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace ipai {
namespace {

#if defined(__x86_64__)

struct Registers {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf) {
  Registers r;
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
  return r;
}

// Which register files the operating system saves on a context switch (XCR0).
uint64_t saved_state() {
  uint32_t low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
}

bool bit(uint32_t word, int index) {
  return ((word >> index) & 1u) != 0;
}

#endif

bool is_built(CpuTarget target) {
#if defined(IPAI_HAS_AVX512_BF16)
  if (target == CpuTarget::kAvx512Bf16) return true;
#endif
#if defined(IPAI_HAS_AVX512)
  if (target == CpuTarget::kAvx512) return true;
#endif
#if defined(IPAI_HAS_AVX2)
  if (target == CpuTarget::kAvx2) return true;
#endif
  return target == CpuTarget::kPortable;
}

std::vector<std::string> needed_features(CpuTarget target) {
  std::vector<std::string> needed;
  if (target != CpuTarget::kPortable) needed = {"avx2", "fma", "f16c"};
  if (target == CpuTarget::kAvx512 || target == CpuTarget::kAvx512Bf16) {
    needed.insert(needed.end(), {"avx512f", "avx512bw", "avx512vl", "avx512dq"});
  }
  if (target == CpuTarget::kAvx512Bf16) needed.emplace_back("avx512_bf16");
  return needed;
}

// Features that the target needs and this machine lacks, separated by commas.
std::string missing_features(CpuTarget target) {
  const std::vector<std::string> present = cpu_features();
  std::string missing;
  for (const std::string& feature : needed_features(target)) {
    if (std::find(present.begin(), present.end(), feature) != present.end()) continue;
    missing += (missing.empty() ? "" : ", ") + feature;
  }
  return missing;
}

constexpr CpuTarget kWidestFirst[] = {CpuTarget::kAvx512Bf16, CpuTarget::kAvx512, CpuTarget::kAvx2,
                                      CpuTarget::kPortable};

}  // namespace

std::vector<std::string> cpu_features() {
  std::vector<std::string> features;
#if defined(__x86_64__)
  // Intel's Software Developer's Manual, volume 2, CPUID: leaf 1 ECX, leaf 7 EBX, ECX and EDX, leaf 7.1 EAX.
  const Registers one = cpuid(1, 0);
  const Registers seven = cpuid(7, 0);
  const Registers seven_one = cpuid(7, 1);
  const bool os_saves_any = bit(one.ecx, 27);
  const uint64_t saved = os_saves_any ? saved_state() : 0;
  const bool ymm = (saved & 0x6) == 0x6;
  const bool zmm = (saved & 0xe6) == 0xe6;
  const bool tiles = (saved & 0x60000) == 0x60000;
  const auto add = [&](const char* name, bool present) {
    if (present) features.emplace_back(name);
  };
  add("avx2", ymm && bit(seven.ebx, 5));
  add("fma", ymm && bit(one.ecx, 12));
  add("f16c", ymm && bit(one.ecx, 29));
  add("avx512f", zmm && bit(seven.ebx, 16));
  add("avx512dq", zmm && bit(seven.ebx, 17));
  add("avx512bw", zmm && bit(seven.ebx, 30));
  add("avx512vl", zmm && bit(seven.ebx, 31));
  add("avx512_bf16", zmm && bit(seven_one.eax, 5));
  add("amx_bf16", tiles && bit(seven.edx, 22));
#elif defined(__aarch64__)
  features.emplace_back("neon");
#endif
  return features;
}

Result<CpuTarget> choose_cpu_target(const std::string& name) {
  for (const CpuTarget target : kWidestFirst) {
    if (name.empty() && is_built(target) && missing_features(target).empty()) return target;
    if (name != cpu_target_name(target)) continue;
    if (!is_built(target)) {
      return Status{ErrorCode::kDeviceUnavailable, "CPU target '" + name + "' is not part of this build."};
    }
    const std::string missing = missing_features(target);
    if (missing.empty()) return target;
    return Status{ErrorCode::kDeviceUnavailable, "CPU target '" + name + "' needs " + missing +
                                                     ", which this machine has not. Choose another or none."};
  }
  return Status::invalid("CPU target: expected portable, avx2, avx512 or avx512_bf16 but received '" + name +
                         "'.");
}

}  // namespace ipai
