#include "addon/description.h"

#include "addon/convert.h"
#include "addon/errors.h"

namespace ipai::addon {
namespace {

AttributeValue to_attribute(Napi::Value value, const std::string& name) {
  if (value.IsBoolean()) return value.As<Napi::Boolean>().Value() ? 1.0 : 0.0;
  if (value.IsNumber()) return value.As<Napi::Number>().DoubleValue();
  if (value.IsString()) return value.As<Napi::String>().Utf8Value();
  if (!value.IsArray())
    throw_invalid(value.Env(), name + ": expected a number, boolean, string or list of numbers.");
  const Napi::Array array = value.As<Napi::Array>();
  std::vector<double> numbers;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value item = array.Get(i);
    if (!item.IsNumber()) throw_invalid(value.Env(), name + ": expected a list of numbers.");
    numbers.push_back(item.As<Napi::Number>().DoubleValue());
  }
  return numbers;
}

ProgramDescription::Tensor to_tensor(Napi::Value value, const std::string& name) {
  const Napi::Object object = to_object(value, name);
  ProgramDescription::Tensor tensor;
  const std::string dtype_text = to_string(object.Get("dtype"), name + ".dtype");
  const auto dtype = dtype_from_name(dtype_text);
  if (!dtype) throw_invalid(value.Env(), name + ".dtype: '" + dtype_text + "' is not a dtype.");
  tensor.dtype = *dtype;
  const Napi::Array shape = to_array(object.Get("shape"), name + ".shape");
  for (uint32_t i = 0; i < shape.Length(); ++i) {
    tensor.shape.push_back(
        static_cast<int64_t>(to_size(shape.Get(i), name + ".shape[" + std::to_string(i) + "]")));
  }
  return tensor;
}

ProgramDescription::Node to_node(Napi::Value value, const std::string& name) {
  const Napi::Object object = to_object(value, name);
  ProgramDescription::Node node;
  node.op = to_string(object.Get("op"), name + ".op");
  node.inputs = to_int32_list(object.Get("inputs"), name + ".inputs");
  node.outputs = to_int32_list(object.Get("outputs"), name + ".outputs");
  node.scope = to_string(object.Get("scope"), name + ".scope");
  const Napi::Object attributes = to_object(object.Get("attributes"), name + ".attributes");
  const Napi::Array keys = attributes.GetPropertyNames();
  for (uint32_t i = 0; i < keys.Length(); ++i) {
    const std::string key = keys.Get(i).ToString().Utf8Value();
    node.attributes.emplace(key, to_attribute(attributes.Get(key), name + ".attributes." + key));
  }
  return node;
}

template <class Item, class Convert>
std::vector<Item> to_list(Napi::Object object, const char* field, Convert&& convert) {
  const std::string name = std::string("program.") + field;
  const Napi::Array array = to_array(object.Get(field), name);
  std::vector<Item> list;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::HandleScope scope(object.Env());
    list.push_back(convert(array.Get(i), name + "[" + std::to_string(i) + "]"));
  }
  return list;
}

const char* role_name(InputRole::Kind kind) {
  return kind == InputRole::kRequired ? "required" : kind == InputRole::kOptional ? "optional" : "variadic";
}

Napi::Array from_strings(Napi::Env env, const std::vector<std::string>& strings) {
  Napi::Array array = Napi::Array::New(env);
  for (const std::string& text : strings) array.Set(array.Length(), text);
  return array;
}

}  // namespace

ProgramDescription to_description(Napi::Value value) {
  const Napi::Object object = to_object(value, "program");
  ProgramDescription description;
  description.tensors = to_list<ProgramDescription::Tensor>(object, "tensors", to_tensor);
  description.nodes = to_list<ProgramDescription::Node>(object, "nodes", to_node);
  description.inputs = to_int32_list(object.Get("inputs"), "program.inputs");
  description.parameters = to_int32_list(object.Get("parameters"), "program.parameters");
  description.outputs = to_int32_list(object.Get("outputs"), "program.outputs");
  if (object.Has("donated")) description.donated = to_int32_list(object.Get("donated"), "program.donated");
  return description;
}

Napi::Value from_op(Napi::Env env, const Op& op) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("name", op.name);
  Napi::Array inputs = Napi::Array::New(env);
  for (const InputRole& role : op.inputs) {
    Napi::Object input = Napi::Object::New(env);
    input.Set("name", role.name);
    input.Set("kind", role_name(role.kind));
    inputs.Set(inputs.Length(), input);
  }
  result.Set("inputs", inputs);
  Napi::Array attributes = Napi::Array::New(env);
  for (const AttributeSpec& spec : op.attributes) {
    Napi::Object attribute = Napi::Object::New(env);
    attribute.Set("name", spec.name);
    attribute.Set("type", spec.type);
    attribute.Set("options", from_strings(env, spec.options));
    attributes.Set(attributes.Length(), attribute);
  }
  result.Set("attributes", attributes);
  Napi::Array in_place = Napi::Array::New(env);
  for (const int input : op.in_place_inputs) in_place.Set(in_place.Length(), input);
  result.Set("inPlaceInputs", in_place);
  result.Set("isView", op.is_view);
  return result;
}

Napi::Value from_plan(Napi::Env env, const Program& program) {
  const auto number = [&](size_t value) { return Napi::Number::New(env, static_cast<double>(value)); };
  Napi::Array rows = Napi::Array::New(env, program.plan.rows.size());
  for (size_t i = 0; i < program.plan.rows.size(); ++i) {
    const PlanRow& row = program.plan.rows[i];
    Napi::Object object = Napi::Object::New(env);
    object.Set("tensor", row.tensor);
    object.Set("firstNode", row.first_node);
    object.Set("lastNode", row.last_node);
    object.Set("offset", number(row.offset));
    object.Set("bytes", number(row.bytes));
    rows.Set(static_cast<uint32_t>(i), object);
  }
  const auto sizes = [&](const std::vector<int32_t>& tensors) {
    Napi::Array array = Napi::Array::New(env);
    for (const int32_t id : tensors)
      array.Set(array.Length(), number(program.tensors[static_cast<size_t>(id)].bytes));
    return array;
  };
  Napi::Object result = Napi::Object::New(env);
  result.Set("peakBytes", number(program.plan.peak_bytes));
  result.Set("lowerBoundBytes", number(program.plan.lower_bound_bytes));
  result.Set("inputBytes", sizes(program.inputs));
  result.Set("parameterBytes", sizes(program.parameters));
  result.Set("outputBytes", sizes(program.outputs));
  Napi::Array output_inputs = Napi::Array::New(env);
  for (const int32_t input : program.plan.output_inputs) output_inputs.Set(output_inputs.Length(), input);
  result.Set("outputInputs", output_inputs);
  result.Set("rows", rows);
  return result;
}

}  // namespace ipai::addon
