#include "addon/convert.h"

#include <cmath>
#include <limits>

#include "addon/errors.h"

namespace ipai::addon {
namespace {

constexpr double kMaxExactInteger = 9007199254740991;  // 2^53 - 1

[[noreturn]] void throw_expected(Napi::Value value, const std::string& name, const char* expected) {
  throw_invalid(value.Env(), name + ": expected " + expected + ".");
}

}  // namespace

Napi::Object to_object(Napi::Value value, const std::string& name) {
  if (!value.IsObject() || value.IsFunction()) throw_expected(value, name, "an object");
  return value.As<Napi::Object>();
}

Napi::Array to_array(Napi::Value value, const std::string& name) {
  if (!value.IsArray()) throw_expected(value, name, "an array");
  return value.As<Napi::Array>();
}

std::string to_string(Napi::Value value, const std::string& name) {
  if (!value.IsString()) throw_expected(value, name, "a string");
  return value.As<Napi::String>().Utf8Value();
}

int32_t to_int32(Napi::Value value, const std::string& name) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : NAN;
  const bool fits =
      number >= std::numeric_limits<int32_t>::min() && number <= std::numeric_limits<int32_t>::max();
  if (!fits || number != std::floor(number)) throw_expected(value, name, "an integer of 32 bits");
  return static_cast<int32_t>(number);
}

size_t to_size(Napi::Value value, const std::string& name) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : NAN;
  const bool fits = number >= 0 && number <= kMaxExactInteger;
  if (!fits || number != std::floor(number)) throw_expected(value, name, "a whole number, not negative");
  return static_cast<size_t>(number);
}

std::vector<int32_t> to_int32_list(Napi::Value value, const std::string& name) {
  const Napi::Array array = to_array(value, name);
  std::vector<int32_t> list;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    list.push_back(to_int32(array.Get(i), name + "[" + std::to_string(i) + "]"));
  }
  return list;
}

bool to_flag(Napi::Value value, const std::string& name) {
  if (value.IsUndefined()) return false;
  if (!value.IsBoolean()) throw_expected(value, name, "a boolean");
  return value.As<Napi::Boolean>().Value();
}

Bytes to_bytes(Napi::Value value, const std::string& name) {
  if (!value.IsTypedArray()) throw_expected(value, name, "a typed array");
  void* data = nullptr;
  size_t length = 0;
  napi_typedarray_type type = napi_uint8_array;
  const napi_status status =
      napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr);
  NAPI_THROW_IF_FAILED_VOID(value.Env(), status);
  return {static_cast<std::byte*>(data), length * value.As<Napi::TypedArray>().ElementSize()};
}

}  // namespace ipai::addon
