#include "runtime/op_registry.h"

namespace ipai {

// Generated, once per target: see all_ops.cpp.in.
namespace portable {
std::vector<Op> all_ops();
}
namespace avx2 {
std::vector<Op> all_ops();
}
namespace avx512 {
std::vector<Op> all_ops();
}
namespace avx512_bf16 {
std::vector<Op> all_ops();
}

namespace {

std::vector<Op> ops_of(CpuTarget target) {
  switch (target) {
#if defined(IPAI_HAS_AVX512_BF16)
    case CpuTarget::kAvx512Bf16:
      return avx512_bf16::all_ops();
#endif
#if defined(IPAI_HAS_AVX512)
    case CpuTarget::kAvx512:
      return avx512::all_ops();
#endif
#if defined(IPAI_HAS_AVX2)
    case CpuTarget::kAvx2:
      return avx2::all_ops();
#endif
    default:
      return portable::all_ops();
  }
}

}  // namespace

OpRegistry::OpRegistry(CpuTarget target) : ops_(ops_of(target)) {}

const Op* OpRegistry::find(const std::string& name) const {
  for (const Op& op : ops_) {
    if (op.name == name) return &op;
  }
  return nullptr;
}

}  // namespace ipai
