// JavaScript values as C++ ones, checked; `name` is how an error calls the value.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ipai::addon {

Napi::Object to_object(Napi::Value value, const std::string& name);
Napi::Array to_array(Napi::Value value, const std::string& name);
std::string to_string(Napi::Value value, const std::string& name);
// An integer that fits 32 bits with its sign.
int32_t to_int32(Napi::Value value, const std::string& name);
// A whole number that a double holds exactly: 0 to 2^53 - 1.
size_t to_size(Napi::Value value, const std::string& name);
std::vector<int32_t> to_int32_list(Napi::Value value, const std::string& name);
// False when the value is undefined.
bool to_flag(Napi::Value value, const std::string& name);

// A typed array's bytes, valid until JavaScript runs again.
struct Bytes {
  std::byte* data;
  size_t size;
};
Bytes to_bytes(Napi::Value value, const std::string& name);

}  // namespace ipai::addon
