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

#include <cmath>
#include <cstdint>
#include <limits>
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
    const auto* list = find<std::vector<double>>(name, "a list of integers");
    if (list == nullptr) return;
    field.clear();
    for (const double value : *list) {
      if (!is_integer<int32_t>(value))
        return fail(std::string("attribute ") + name + " must be a list of integers");
      field.push_back(static_cast<int32_t>(value));
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
    const double* value = find<double>(name, "a number");
    if (value == nullptr) return;
    if constexpr (std::is_integral_v<T>) {
      if (!is_integer<T>(*value)) {
        return fail(std::string("attribute ") + name + " must be an integer of 32 bits" +
                    (std::is_unsigned_v<T> ? ", not negative" : ""));
      }
    }
    field = static_cast<T>(*value);
  }
  // Whether T can hold the value: converting any other is undefined. False for NaN.
  template <class T>
  static bool is_integer(double value) {
    return value >= static_cast<double>(std::numeric_limits<T>::min()) &&
           value <= static_cast<double>(std::numeric_limits<T>::max()) && value == std::floor(value);
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

// How a convolution is computed, for which its weight is packed. Direct takes any kernel and stride;
// Winograd's algorithm (native/cpu/winograd_conv.h) takes kernels of 3x3 at stride 1, by tiles of 4x4 outputs
// with weights packed as for the direct algorithm, or by tiles of either size with weights held transformed.
enum class ConvAlgorithm : uint8_t {
  kDirect,
  kWinograd4x4,
  kWinograd4x4Held,
  kWinograd2x2Held,
  kWinograd6x6Held
};
inline constexpr const char* kConvAlgorithmNames[] = {"direct", "winograd_4x4", "winograd_4x4_held",
                                                      "winograd_2x2_held", "winograd_6x6_held"};

}  // namespace ipai
