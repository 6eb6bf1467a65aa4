#include "runtime/attributes.h"

#include <doctest/doctest.h>

#include <cmath>

using ipai::AttributeMap;

namespace {

struct Example {
  uint32_t groups = 0;
  int32_t shift = 0;
  float epsilon = 0;
  bool flag = false;
  std::vector<int32_t> shape;
  ipai::Activation activation = ipai::Activation::kNone;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("groups", groups);
    visit("shift", shift);
    visit("epsilon", epsilon);
    visit("flag", flag);
    visit("shape", shape);
    visit("activation", activation, ipai::kActivationNames);
  }
};

AttributeMap valid() {
  return {{"groups", 32.0},
          {"shift", -1.0},
          {"epsilon", 0.5},
          {"flag", 1.0},
          {"shape", std::vector<double>{2, 3}},
          {"activation", std::string("silu")}};
}

std::string error_of(const AttributeMap& values) {
  Example example;
  ipai::AttributeParser parser{values, {}, 0};
  example.fields(parser);
  return parser.error;
}

std::string error_with(const char* name, ipai::AttributeValue value) {
  AttributeMap values = valid();
  values[name] = std::move(value);
  return error_of(values);
}

}  // namespace

TEST_CASE("attributes fill the struct") {
  const AttributeMap values = valid();
  Example example;
  ipai::AttributeParser parser{values, {}, 0};
  example.fields(parser);
  CHECK(parser.error.empty());
  CHECK(parser.used == 6);
  CHECK(example.groups == 32);
  CHECK(example.shift == -1);
  CHECK(example.epsilon == 0.5f);
  CHECK(example.flag);
  CHECK(example.shape == std::vector<int32_t>{2, 3});
  CHECK(example.activation == ipai::Activation::kSilu);
}

TEST_CASE("a missing attribute and one of the wrong type are named") {
  AttributeMap values = valid();
  values.erase("epsilon");
  CHECK(error_of(values) == "attribute epsilon is missing");
  CHECK(error_with("groups", std::string("32")) == "attribute groups must be a number");
  CHECK(error_with("flag", std::string("true")) == "attribute flag must be a boolean");
  CHECK(error_with("shape", 3.0) == "attribute shape must be a list of integers");
  CHECK(error_with("activation", 1.0) == "attribute activation must be a name");
  CHECK(error_with("activation", std::string("relu")) == "attribute activation: unknown value 'relu'");
}

TEST_CASE("numbers that an integer cannot hold are refused") {
  for (const double value :
       {-1.0, 0.5, 4294967296.0, 1e300, static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
    CHECK(error_with("groups", value) == "attribute groups must be an integer of 32 bits, not negative");
  }
  CHECK(error_with("shift", 2147483648.0) == "attribute shift must be an integer of 32 bits");
  CHECK(error_with("shape", std::vector<double>{1, 2.5}) == "attribute shape must be a list of integers");
  CHECK(error_with("shape", std::vector<double>{1, -1e18}) == "attribute shape must be a list of integers");
  CHECK(error_with("groups", 4294967295.0).empty());
}

TEST_CASE("the description lists names, types and options in order") {
  ipai::AttributeDescriber describer;
  Example().fields(describer);
  std::string text;
  for (const ipai::AttributeSpec& spec : describer.specs) text += spec.name + ":" + spec.type + " ";
  CHECK(text == "groups:u32 shift:i32 epsilon:f32 flag:bool shape:i32[] activation:enum ");
  CHECK(describer.specs.back().options ==
        std::vector<std::string>{"none", "silu", "gelu", "quick_gelu", "geglu"});
}
