#include "runtime/program.h"

#include <algorithm>

#include "runtime/buffer.h"
#include "runtime/cuda_interface.h"

namespace ipai {
namespace {

// Far beyond any memory, and small enough that sums of a few such sizes do not overflow.
constexpr size_t kMaxTensorBytes = size_t{1} << 46;

class Compiler {
 public:
  Compiler(const ProgramDescription& description, const OpRegistry& registry, const DeviceTraits& traits)
      : description_(description), registry_(registry), traits_(traits) {}

  Result<std::shared_ptr<const Program>> compile(ComputeDevice* device) {
    Status status = add_tensors();
    if (status.ok()) status = bind(description_.inputs, "inputs");
    if (status.ok()) status = bind(description_.parameters, "parameters");
    for (size_t i = 0; status.ok() && i < description_.nodes.size(); ++i) status = add_node(i);
    if (status.ok()) status = check_outputs();
    if (status.ok()) status = check_donated();
    if (!status.ok()) return status;
    program_->device = device;
    program_->inputs = description_.inputs;
    program_->parameters = description_.parameters;
    program_->outputs = description_.outputs;
    program_->donated = description_.donated;
    program_->plan = plan_memory(plan_request());
    return std::shared_ptr<const Program>(program_);
  }

 private:
  Status add_tensors() {
    for (size_t i = 0; i < description_.tensors.size(); ++i) {
      const ProgramDescription::Tensor& tensor = description_.tensors[i];
      const std::string name = "program: tensor " + std::to_string(i);
      if (tensor.shape.size() > static_cast<size_t>(kMaxRank)) {
        return Status::invalid(name + " has " + std::to_string(tensor.shape.size()) + " axes, at most " +
                               std::to_string(kMaxRank) + " are possible.");
      }
      size_t bytes = dtype_size(tensor.dtype);
      for (const int64_t extent : tensor.shape) {
        if (extent < 1 || static_cast<uint64_t>(extent) > kMaxTensorBytes / bytes) {
          return Status::invalid(name + " has shape " + Shape(tensor.shape).to_string() +
                                 ": extents must be positive, and not more than memory can hold.");
        }
        bytes *= static_cast<size_t>(extent);
      }
      program_->tensors.push_back({{tensor.dtype, Shape(tensor.shape), false}, bytes});
    }
    defined_.assign(program_->tensors.size(), false);
    return Status::success();
  }

  bool is_tensor(int32_t id) const { return id >= 0 && static_cast<size_t>(id) < program_->tensors.size(); }
  ProgramTensor& tensor(int32_t id) { return program_->tensors[static_cast<size_t>(id)]; }

  // Marks a tensor as having its value; false when it is none or has one already.
  bool define(int32_t id) {
    if (!is_tensor(id) || defined_[static_cast<size_t>(id)]) return false;
    defined_[static_cast<size_t>(id)] = true;
    return true;
  }

  Status bind(const std::vector<int32_t>& ids, const char* what) {
    for (const int32_t id : ids) {
      if (define(id)) continue;
      return Status::invalid(std::string("program: ") + what + " names tensor " + std::to_string(id) +
                             ", which does not exist or has a value already.");
    }
    return Status::success();
  }

  Status add_node(size_t index) {
    const ProgramDescription::Node& source = description_.nodes[index];
    const auto invalid = [&](const std::string& problem) {
      return Status::invalid(source.op + ": " + problem + ".", source.scope);
    };
    ProgramNode node;
    node.op = registry_.find(source.op);
    if (node.op == nullptr)
      return Status::invalid("program: there is no op '" + source.op + "'.", source.scope);
    node.scope = source.scope;
    node.inputs = source.inputs;
    if (std::string problem = check_inputs(node); !problem.empty()) return invalid(problem);
    if (source.outputs.size() != 1 || !define(source.outputs[0])) {
      return invalid("expected one output, a tensor that has no value yet");
    }
    node.output = source.outputs[0];
    std::string error;
    node.attributes = node.op->parse(source.attributes, error);
    if (!error.empty()) return invalid(error);
    for (const int32_t id : node.inputs) {
      node.types.inputs.push_back(id < 0 ? TensorType{DType::kFloat32, {}, true} : tensor(id).type);
    }
    node.types.outputs.push_back(tensor(node.output).type);
    node.types.device = traits_;
    if (node.op->validate) error = node.op->validate(node.attributes.get(), node.types);
    if (!error.empty()) return invalid(error + " (" + signature(node) + ")");
    if (error = size_buffers(node); !error.empty()) return invalid(error);
    program_->nodes.push_back(std::move(node));
    return Status::success();
  }

  // Checks the inputs against the op's roles and appends -1 for optional ones at the end that are not
  // mentioned.
  std::string check_inputs(ProgramNode& node) {
    const std::vector<InputRole>& roles = node.op->inputs;
    const bool variadic = !roles.empty() && roles.back().kind == InputRole::kVariadic;
    if (node.inputs.size() > roles.size() && !variadic) {
      return "expected at most " + std::to_string(roles.size()) + " inputs, got " +
             std::to_string(node.inputs.size());
    }
    if (node.inputs.size() < roles.size()) node.inputs.resize(roles.size(), -1);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const InputRole& role = roles[std::min(i, roles.size() - 1)];
      const int32_t id = node.inputs[i];
      if (id == -1 && role.kind == InputRole::kOptional) continue;
      if (id == -1) return std::string("input ") + role.name + " is missing";
      if (!is_tensor(id) || !defined_[static_cast<size_t>(id)]) {
        return std::string("input ") + role.name + " is tensor " + std::to_string(id) +
               ", which has no value yet";
      }
    }
    return "";
  }

  // Sizes that the op states itself: its packed output, packed inputs, scratch.
  std::string size_buffers(ProgramNode& node) {
    const Op& op = *node.op;
    const void* const attributes = node.attributes.get();
    ProgramTensor& output = tensor(node.output);
    if (op.output_bytes) output.bytes = op.output_bytes(attributes, node.types);
    if (op.scratch_bytes) node.scratch_bytes = op.scratch_bytes(attributes, node.types);
    // Blocks of the arena begin at multiples of kAlignment.
    if (node.scratch_bytes > 0 && traits_.kind == Device::kCuda)
      node.scratch_bytes += kCudaScratchAlignment - kAlignment;
    // All tensors of one block of memory have the same size, which the planner relies on.
    if (op.is_view && output.bytes != tensor(node.inputs[0]).bytes)
      return "a view must be as large as its source";
    for (size_t i = 0; op.input_bytes && i < node.inputs.size(); ++i) {
      if (node.inputs[i] < 0) continue;
      ProgramTensor& input = tensor(node.inputs[i]);
      const size_t needed = op.input_bytes(attributes, node.types, static_cast<int>(i));
      if (needed <= input.bytes) continue;
      if (!is_bound(node.inputs[i])) {
        return "input " + std::to_string(i) + " must hold " + std::to_string(needed) +
               " packed bytes, got a tensor of " + std::to_string(input.bytes);
      }
      input.bytes = needed;
    }
    if (node.scratch_bytes > kMaxTensorBytes || output.bytes > kMaxTensorBytes)
      return "needs more memory than can be had";
    return "";
  }

  bool is_bound(int32_t id) const {
    const auto contains = [id](const std::vector<int32_t>& ids) {
      return std::find(ids.begin(), ids.end(), id) != ids.end();
    };
    return contains(description_.inputs) || contains(description_.parameters);
  }

  static std::string signature(const ProgramNode& node) {
    std::string text;
    const auto add = [&](const TensorType& type) {
      text += type.absent ? " -" : std::string(" ") + dtype_name(type.dtype) + type.shape.to_string();
    };
    text = "got";
    for (const TensorType& type : node.types.inputs) add(type);
    text += " to";
    for (const TensorType& type : node.types.outputs) add(type);
    return text;
  }

  Status check_outputs() {
    for (const int32_t id : description_.outputs) {
      if (is_tensor(id) && defined_[static_cast<size_t>(id)]) continue;
      return Status::invalid("program: outputs names tensor " + std::to_string(id) + ", which has no value.");
    }
    return Status::success();
  }

  Status check_donated() const {
    for (const int32_t input : description_.donated) {
      if (input >= 0 && static_cast<size_t>(input) < description_.inputs.size()) continue;
      return Status::invalid("program: donated names input " + std::to_string(input) + " of " +
                             std::to_string(description_.inputs.size()) + ".");
    }
    return Status::success();
  }

  PlanRequest plan_request() const {
    PlanRequest request;
    for (const ProgramTensor& tensor : program_->tensors) request.tensor_bytes.push_back(tensor.bytes);
    for (const ProgramNode& node : program_->nodes) {
      request.nodes.push_back(
          {node.inputs, node.output, node.op->in_place_inputs, node.op->is_view, node.scratch_bytes});
    }
    request.inputs = program_->inputs;
    request.parameters = program_->parameters;
    request.outputs = program_->outputs;
    request.donated = program_->donated;
    request.runs_side_by_side = traits_.kind == Device::kCuda;
    return request;
  }

  const ProgramDescription& description_;
  const OpRegistry& registry_;
  const DeviceTraits& traits_;
  std::shared_ptr<Program> program_ = std::make_shared<Program>();
  std::vector<bool> defined_;
};

}  // namespace

Result<std::shared_ptr<const Program>> compile_program(const ProgramDescription& description,
                                                       const OpRegistry& registry, const DeviceTraits& traits,
                                                       ComputeDevice* device) {
  return Compiler(description, registry, traits).compile(device);
}

}  // namespace ipai
