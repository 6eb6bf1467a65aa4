#include "runtime/cuda_ops.h"

namespace ipai {
namespace {

CudaAttribute to_cuda(const std::string& name, const AttributeValue& value) {
  CudaAttribute attribute;
  attribute.name = name.c_str();
  if (const double* number = std::get_if<double>(&value)) {
    attribute.number = *number;
  } else if (const std::string* text = std::get_if<std::string>(&value)) {
    attribute.kind = CudaAttribute::Kind::kText;
    attribute.text = text->c_str();
  } else {
    const auto& list = std::get<std::vector<double>>(value);
    attribute.kind = CudaAttribute::Kind::kList;
    attribute.list = list.data();
    attribute.list_size = list.size();
  }
  return attribute;
}

CudaNodeTypes to_cuda(const NodeTypes& types) {
  return {types.inputs.data(), types.inputs.size(), types.outputs.data(), types.outputs.size(), types.device};
}

void describe(const CudaOpDescription& description, Op& op) {
  op.name = description.name;
  op.inputs.assign(description.inputs, description.inputs + description.input_count);
  op.in_place_inputs.assign(description.in_place_inputs,
                            description.in_place_inputs + description.in_place_input_count);
  op.is_view = description.is_view;
  for (size_t i = 0; i < description.attribute_count; ++i) {
    const CudaAttributeSpec& spec = description.attributes[i];
    op.attributes.push_back({spec.name, spec.type, {spec.options, spec.options + spec.option_count}});
  }
}

Op make_op(const CudaInterface* cuda, size_t index) {
  const CudaOpDescription& description = cuda->ops[index];
  Op op;
  describe(description, op);
  op.parse = [cuda, index](const AttributeMap& values, std::string& error) -> std::shared_ptr<const void> {
    std::vector<CudaAttribute> attributes;
    for (const auto& [name, value] : values) attributes.push_back(to_cuda(name, value));
    void* parsed = nullptr;
    const CudaStatus status = cuda->parse(index, attributes.data(), attributes.size(), &parsed);
    error = status.message;
    return {parsed, [cuda](void* attributes) {
              if (attributes != nullptr) cuda->free_attributes(attributes);
            }};
  };
  op.validate = [cuda, index](const void* attributes, const NodeTypes& types) -> std::string {
    const CudaNodeTypes view = to_cuda(types);
    return cuda->validate(index, attributes, &view).message;
  };
  if (description.has_scratch_bytes) {
    op.scratch_bytes = [cuda, index](const void* attributes, const NodeTypes& types) {
      const CudaNodeTypes view = to_cuda(types);
      return cuda->scratch_bytes(index, attributes, &view);
    };
  }
  if (description.has_output_bytes) {
    op.output_bytes = [cuda, index](const void* attributes, const NodeTypes& types) {
      const CudaNodeTypes view = to_cuda(types);
      return cuda->output_bytes(index, attributes, &view);
    };
  }
  if (description.has_input_bytes) {
    op.input_bytes = [cuda, index](const void* attributes, const NodeTypes& types, int input) {
      const CudaNodeTypes view = to_cuda(types);
      return cuda->input_bytes(index, attributes, &view, input);
    };
  }
  return op;
}

}  // namespace

std::vector<Op> cuda_ops(const CudaInterface& cuda) {
  std::vector<Op> ops;
  for (size_t i = 0; i < cuda.op_count; ++i) ops.push_back(make_op(&cuda, i));
  return ops;
}

}  // namespace ipai
