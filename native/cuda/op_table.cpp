#include "cuda/op_table.h"

#include <cstring>
#include <memory>

#include "cuda/status.h"

namespace ipai::cuda {

// Generated: see runtime/all_ops.cpp.in.
std::vector<Op> all_ops();

namespace {

using Attributes = std::shared_ptr<const void>;

// An op's description with the lists that it points into.
struct Description {
  std::vector<std::vector<const char*>> options;
  std::vector<CudaAttributeSpec> attributes;

  CudaOpDescription describe(const Op& op) {
    for (const AttributeSpec& spec : op.attributes) {
      options.emplace_back();
      for (const std::string& option : spec.options) options.back().push_back(option.c_str());
    }
    for (size_t i = 0; i < op.attributes.size(); ++i) {
      const AttributeSpec& spec = op.attributes[i];
      attributes.push_back({spec.name.c_str(), spec.type.c_str(), options[i].data(), options[i].size()});
    }
    return {op.name.c_str(),
            op.inputs.data(),
            op.inputs.size(),
            attributes.data(),
            attributes.size(),
            op.in_place_inputs.data(),
            op.in_place_inputs.size(),
            op.is_view,
            static_cast<bool>(op.scratch_bytes),
            static_cast<bool>(op.output_bytes),
            static_cast<bool>(op.input_bytes)};
  }
};

const std::vector<CudaOpDescription>& descriptions() {
  static std::vector<Description> lists(op_table().size());
  static const std::vector<CudaOpDescription> all = [] {
    std::vector<CudaOpDescription> result;
    for (size_t i = 0; i < op_table().size(); ++i) result.push_back(lists[i].describe(op_table()[i]));
    return result;
  }();
  return all;
}

AttributeValue value_of(const CudaAttribute& attribute) {
  switch (attribute.kind) {
    case CudaAttribute::Kind::kText:
      return std::string(attribute.text);
    case CudaAttribute::Kind::kList:
      return std::vector<double>(attribute.list, attribute.list + attribute.list_size);
    case CudaAttribute::Kind::kNumber:
      break;
  }
  return attribute.number;
}

NodeTypes node_types(const CudaNodeTypes& types) {
  return {{types.inputs, types.inputs + types.input_count},
          {types.outputs, types.outputs + types.output_count},
          types.device};
}

CudaStatus parse(size_t op, const CudaAttribute* values, size_t count, void** attributes) {
  AttributeMap map;
  for (size_t i = 0; i < count; ++i) map.emplace(values[i].name, value_of(values[i]));
  std::string error;
  Attributes parsed = op_table()[op].parse(map, error);
  if (!error.empty()) return to_status(ErrorCode::kInvalidArgument, error);
  *attributes = new Attributes(std::move(parsed));
  return {};
}

void free_attributes(void* attributes) {
  delete static_cast<Attributes*>(attributes);
}

CudaStatus validate(size_t op, const void* attributes, const CudaNodeTypes* types) {
  const Op& table = op_table()[op];
  const std::string error =
      table.validate ? table.validate(attributes_of(attributes), node_types(*types)) : "";
  return error.empty() ? CudaStatus() : to_status(ErrorCode::kInvalidArgument, error);
}

size_t scratch_bytes(size_t op, const void* attributes, const CudaNodeTypes* types) {
  return op_table()[op].scratch_bytes(attributes_of(attributes), node_types(*types));
}

size_t output_bytes(size_t op, const void* attributes, const CudaNodeTypes* types) {
  return op_table()[op].output_bytes(attributes_of(attributes), node_types(*types));
}

size_t input_bytes(size_t op, const void* attributes, const CudaNodeTypes* types, int index) {
  return op_table()[op].input_bytes(attributes_of(attributes), node_types(*types), index);
}

}  // namespace

const std::vector<Op>& op_table() {
  static const std::vector<Op> ops = all_ops();
  return ops;
}

const void* attributes_of(const void* handle) {
  return static_cast<const Attributes*>(handle)->get();
}

void add_ops(CudaInterface& interface) {
  interface.ops = descriptions().data();
  interface.op_count = descriptions().size();
  interface.parse = parse;
  interface.free_attributes = free_attributes;
  interface.validate = validate;
  interface.scratch_bytes = scratch_bytes;
  interface.output_bytes = output_bytes;
  interface.input_bytes = input_bytes;
}

}  // namespace ipai::cuda
