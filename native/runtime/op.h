// What an op is to the runtime: a contract (roles, attributes, types) and one device's functions behind it.
// An op lives in native/ops/<name>/: op.h has its attribute struct and contract, which all devices share;
// cpu.cpp and cuda.cu have the kernels, and say what these need.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/attributes.h"
#include "runtime/device_traits.h"
#include "runtime/tensor_view.h"

namespace ipai {

class CpuContext;
class CudaEncoder;

struct InputRole {
  const char* name;
  enum Kind : uint8_t { kRequired, kOptional, kVariadic } kind = kRequired;  // only the last may be variadic
};

// Types of a node's inputs (absent optional ones included, in order) and outputs, and the device it is for.
struct NodeTypes {
  std::vector<TensorType> inputs;
  std::vector<TensorType> outputs;
  DeviceTraits device = {};
};

struct NodeView {
  const TensorView* inputs;
  int input_count;
  const TensorView* outputs;
  int output_count;

  const TensorView& input(int index) const { return inputs[index]; }
  const TensorView& output(int index = 0) const { return outputs[index]; }
};

// An op of one device. Functions that are empty take the default given beside them.
struct Op {
  std::string name;
  std::vector<InputRole> inputs;
  std::vector<AttributeSpec> attributes;
  // Inputs whose buffer output 0 may take over when this node is their last reader and sizes agree.
  std::vector<int> in_place_inputs;
  // Output 0 is input 0 under another shape: no work when the planner can alias, a copy otherwise.
  bool is_view = false;

  // Typed attributes from the map; nullptr and `error` when they do not fit.
  std::function<std::shared_ptr<const void>(const AttributeMap&, std::string& error)> parse;
  // Why these types cannot be run, as a sentence; empty when they can. Default: accept.
  std::function<std::string(const void* attributes, const NodeTypes&)> validate;
  // Bytes of scratch that `run` or `record` may use, for all threads together. Default: 0.
  std::function<size_t(const void* attributes, const NodeTypes&)> scratch_bytes;
  // Bytes of output 0 where its layout is not dense row-major. Default: dense.
  std::function<size_t(const void* attributes, const NodeTypes&)> output_bytes;
  // Bytes of input `index` where its layout is not dense row-major (weights that a pack_* op made): the
  // runtime refuses smaller buffers, so that kernels never read past one. Default: dense.
  std::function<size_t(const void* attributes, const NodeTypes&, int index)> input_bytes;

  // One of these, by the device. Neither may throw or fail: `validate` has seen all that could be wrong.
  // Inputs that share a buffer with output 0 are only those of `in_place_inputs`.
  std::function<void(const void* attributes, const NodeView&, CpuContext&)> run;
  std::function<void(const void* attributes, const NodeView&, CudaEncoder&)> record;
};

// The typed faces of Op: what an op's cpu.cpp and cuda.cu write down.
template <class Attributes>
struct CpuOpSpec {
  std::vector<int> in_place_inputs = {};
  bool is_view = false;
  std::string (*validate)(const Attributes&, const NodeTypes&) = nullptr;
  size_t (*scratch_bytes)(const Attributes&, const NodeTypes&, int thread_count) = nullptr;
  size_t (*output_bytes)(const Attributes&, const NodeTypes&) = nullptr;
  void (*run)(const Attributes&, const NodeView&, CpuContext&) = nullptr;
  size_t (*input_bytes)(const Attributes&, const NodeTypes&, int index) = nullptr;
};

template <class Attributes>
struct CudaOpSpec {
  std::vector<int> in_place_inputs = {};
  bool is_view = false;
  std::string (*validate)(const Attributes&, const NodeTypes&) = nullptr;
  size_t (*scratch_bytes)(const Attributes&, const NodeTypes&) = nullptr;
  size_t (*output_bytes)(const Attributes&, const NodeTypes&) = nullptr;
  void (*record)(const Attributes&, const NodeView&, CudaEncoder&) = nullptr;
  size_t (*input_bytes)(const Attributes&, const NodeTypes&, int index) = nullptr;
};

// `Attributes` has `static constexpr const char* kName`, `static constexpr InputRole kInputs[]`, and
// `template <class Visitor> void fields(Visitor&&)`.
template <class Attributes, class Spec>
Op make_op(const Spec& spec) {
  Op op;
  op.name = Attributes::kName;
  op.inputs.assign(std::begin(Attributes::kInputs), std::end(Attributes::kInputs));
  AttributeDescriber describer;
  Attributes().fields(describer);
  op.attributes = describer.specs;
  op.in_place_inputs = spec.in_place_inputs;
  op.is_view = spec.is_view;
  op.parse = [](const AttributeMap& values, std::string& error) -> std::shared_ptr<const void> {
    auto attributes = std::make_shared<Attributes>();
    AttributeParser parser{values, {}, 0};
    attributes->fields(parser);
    if (parser.error.empty() && parser.used != values.size()) parser.error = "an attribute is not known";
    error = parser.error;
    return error.empty() ? attributes : nullptr;
  };
  if (spec.validate != nullptr) {
    op.validate = [f = spec.validate](const void* a, const NodeTypes& types) {
      return f(*static_cast<const Attributes*>(a), types);
    };
  }
  if (spec.output_bytes != nullptr) {
    op.output_bytes = [f = spec.output_bytes](const void* a, const NodeTypes& types) {
      return f(*static_cast<const Attributes*>(a), types);
    };
  }
  if (spec.input_bytes != nullptr) {
    op.input_bytes = [f = spec.input_bytes](const void* a, const NodeTypes& types, int index) {
      return f(*static_cast<const Attributes*>(a), types, index);
    };
  }
  return op;
}

template <class Attributes>
Op make_cpu_op(const CpuOpSpec<Attributes>& spec) {
  Op op = make_op<Attributes>(spec);
  if (spec.scratch_bytes != nullptr) {
    op.scratch_bytes = [f = spec.scratch_bytes](const void* a, const NodeTypes& types) {
      return f(*static_cast<const Attributes*>(a), types, types.device.thread_count);
    };
  }
  op.run = [f = spec.run](const void* a, const NodeView& node, CpuContext& context) {
    f(*static_cast<const Attributes*>(a), node, context);
  };
  return op;
}

template <class Attributes>
Op make_cuda_op(const CudaOpSpec<Attributes>& spec) {
  Op op = make_op<Attributes>(spec);
  if (spec.scratch_bytes != nullptr) {
    op.scratch_bytes = [f = spec.scratch_bytes](const void* a, const NodeTypes& types) {
      return f(*static_cast<const Attributes*>(a), types);
    };
  }
  op.record = [f = spec.record](const void* a, const NodeView& node, CudaEncoder& encoder) {
    f(*static_cast<const Attributes*>(a), node, encoder);
  };
  return op;
}

}  // namespace ipai
