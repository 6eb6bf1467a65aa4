// Attributes of an op: one plain struct with a `fields` list, from which parsing and description both follow.
//
//   struct GroupNorm {
//     uint32_t groups = 32;
//     float epsilon = 1e-5f;
//     Activation activation = Activation::kNone;
//     template <class Visitor>
//     void fields(Visitor&& visit) {
//       visit("groups", groups);
//       visit("epsilon", epsilon);
//       visit("activation", activation, kActivationNames);
//     }
//   };
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace ipai {

// As they come over the border: numbers (booleans as 0 and 1), strings (enum names), lists of numbers.
using AttributeValue = std::variant<double, std::string, std::vector<double>>;
using AttributeMap = std::map<std::string, AttributeValue>;

// One attribute as `describeOps()` reports it; `type` is "u32", "i32", "f32", "bool", "i32[]" or "enum".
struct AttributeSpec {
  std::string name;
  std::string type;
  std::vector<std::string> options;
};

struct AttributeDescriber {
  std::vector<AttributeSpec> specs;

  void operator()(const char* name, uint32_t&) { specs.push_back({name, "u32", {}}); }
  void operator()(const char* name, int32_t&) { specs.push_back({name, "i32", {}}); }
  void operator()(const char* name, float&) { specs.push_back({name, "f32", {}}); }
  void operator()(const char* name, bool&) { specs.push_back({name, "bool", {}}); }
  void operator()(const char* name, std::vector<int32_t>&) { specs.push_back({name, "i32[]", {}}); }
  template <class Enum, size_t N>
  void operator()(const char* name, Enum&, const char* const (&names)[N]) {
    specs.push_back({name, "enum", std::vector<std::string>(names, names + N)});
  }
};

// Fills a struct from a map; the first problem is left in `error`.
struct AttributeParser {
  const AttributeMap& values;
  std::string error;
  size_t used = 0;

  void operator()(const char* name, uint32_t& field) { read_number(name, field); }
  void operator()(const char* name, int32_t& field) { read_number(name, field); }
  void operator()(const char* name, float& field) { read_number(name, field); }
  void operator()(const char* name, bool& field) {
    if (const double* value = find<double>(name, "a boolean")) field = *value != 0;
  }
  void operator()(const char* name, std::vector<int32_t>& field) {
    if (const auto* list = find<std::vector<double>>(name, "a list of integers")) {
      field.assign(list->begin(), list->end());
    }
  }
  template <class Enum, size_t N>
  void operator()(const char* name, Enum& field, const char* const (&names)[N]) {
    const auto* text = find<std::string>(name, "a name");
    if (text == nullptr) return;
    for (size_t i = 0; i < N; ++i) {
      if (*text == names[i]) {
        field = static_cast<Enum>(i);
        return;
      }
    }
    fail(std::string("attribute ") + name + ": unknown value '" + *text + "'");
  }

 private:
  template <class T>
  void read_number(const char* name, T& field) {
    if (const double* value = find<double>(name, "a number")) field = static_cast<T>(*value);
  }
  template <class T>
  const T* find(const char* name, const char* expected) {
    const auto entry = values.find(name);
    if (entry == values.end()) {
      fail(std::string("attribute ") + name + " is missing");
      return nullptr;
    }
    ++used;
    const T* value = std::get_if<T>(&entry->second);
    if (value == nullptr) fail(std::string("attribute ") + name + " must be " + expected);
    return value;
  }
  void fail(std::string text) {
    if (error.empty()) error = std::move(text);
  }
};

// Attribute enums that several ops share.
enum class Activation : uint8_t { kNone, kSilu, kGelu, kQuickGelu, kGeglu };
inline constexpr const char* kActivationNames[] = {"none", "silu", "gelu", "quick_gelu", "geglu"};

}  // namespace ipai
