// A program: typed tensors, and nodes in the order they run, each resolved to an op with parsed attributes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/op_registry.h"
#include "runtime/planner.h"
#include "runtime/status.h"
#include "runtime/tensor_view.h"

namespace ipai {

// As it comes over the border: nothing in it has been checked. lib/runtime/program.ts has the same fields.
struct ProgramDescription {
  struct Tensor {
    DType dtype = DType::kFloat32;
    std::vector<int64_t> shape;
  };
  struct Node {
    std::string op;
    std::vector<int32_t> inputs;  // -1 where an optional input is left out
    std::vector<int32_t> outputs;
    AttributeMap attributes;
    std::string scope;
  };

  std::vector<Tensor> tensors;
  std::vector<Node> nodes;
  std::vector<int32_t> inputs;
  std::vector<int32_t> parameters;
  std::vector<int32_t> outputs;
  std::vector<int32_t> donated;
};

struct ProgramTensor {
  TensorType type;
  // What a buffer of it must hold: the dense size, or more where an op states a packed layout.
  size_t bytes = 0;
};

struct ProgramNode {
  const Op* op = nullptr;
  std::shared_ptr<const void> attributes;
  NodeTypes types;
  std::vector<int32_t> inputs;
  int32_t output = 0;
  size_t scratch_bytes = 0;
  std::string scope;
};

class ComputeDevice;

struct Program {
  // Whose buffers it takes and whose executor runs it; nullptr in tests of parts.
  ComputeDevice* device = nullptr;
  std::vector<ProgramTensor> tensors;
  std::vector<ProgramNode> nodes;
  std::vector<int32_t> inputs;
  std::vector<int32_t> parameters;
  std::vector<int32_t> outputs;
  std::vector<int32_t> donated;  // positions in `inputs` that runs may write to
  MemoryPlan plan;
  // What the device's runner keeps of the program from run to run.
  mutable std::shared_ptr<void> on_device;
};

// Checks everything that `run` relies on, then plans the memory. Whatever is wrong with the description comes
// back as kInvalidArgument with the node's scope. `registry` must outlive the program.
Result<std::shared_ptr<const Program>> compile_program(const ProgramDescription& description,
                                                       const OpRegistry& registry, const DeviceTraits& traits,
                                                       ComputeDevice* device = nullptr);

}  // namespace ipai
