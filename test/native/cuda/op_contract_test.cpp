// Every op of the CPU is one of CUDA, by the same contract.
#include <algorithm>

#include "cuda_harness.h"

namespace ipai::test {
namespace {

std::string contract_of(const Op& op) {
  const char* const kinds[] = {"", "?", "..."};
  std::string text = op.name + "(";
  for (const InputRole& role : op.inputs) text += std::string(role.name) + kinds[role.kind] + " ";
  text += ") {";
  for (const AttributeSpec& attribute : op.attributes) {
    text += attribute.name + ": " + attribute.type;
    for (const std::string& option : attribute.options) text += " " + option;
    text += "; ";
  }
  return text + "}" + (op.is_view ? " view" : "");
}

}  // namespace

TEST_CASE("cuda ops: those of the CPU, with equal inputs and attributes") {
  const std::vector<Op> cuda_ops = cuda::all_ops();
  for (const Op& cpu : targets()[0].ops) {
    const auto found = std::find_if(cuda_ops.begin(), cuda_ops.end(),
                                    [&](const Op& candidate) { return candidate.name == cpu.name; });
    REQUIRE_MESSAGE(found != cuda_ops.end(), cpu.name);
    CHECK_EQ(contract_of(*found), contract_of(cpu));
    CHECK_EQ(found->in_place_inputs, cpu.in_place_inputs);
  }
  CHECK_EQ(cuda_ops.size(), targets()[0].ops.size());
}

}  // namespace ipai::test
