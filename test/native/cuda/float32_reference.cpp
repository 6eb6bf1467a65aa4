#include "cuda_harness.h"

namespace ipai::test {

HostTensor run_cpu_in_float32(const std::string& op_name, const AttributeMap& attributes,
                              const std::vector<HostTensor>& inputs,
                              const std::vector<int64_t>& output_extents) {
  std::vector<HostTensor> widened;
  for (const HostTensor& input : inputs) {
    const DType dtype = input.type().dtype;
    const bool is_half = dtype == DType::kFloat16 || dtype == DType::kBFloat16;
    widened.push_back(is_half ? input.as(DType::kFloat32) : input);
  }
  return run(targets().back().op(op_name), attributes, widened, DType::kFloat32, output_extents);
}

}  // namespace ipai::test
