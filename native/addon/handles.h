// Native objects as JavaScript sees them: opaque values with a type tag, so that a foreign one is an error,
// not a crash.
#pragma once

#include <napi.h>

#include <memory>

#include "addon/errors.h"
#include "runtime/buffer.h"
#include "runtime/job.h"
#include "runtime/program.h"

namespace ipai::addon {

template <class T>
struct HandleType;

// Tags are random numbers.
template <>
struct HandleType<Buffer> {
  static constexpr const char* kName = "a native buffer";
  static constexpr napi_type_tag kTag = {0x5d1f6ac04b7e4f93, 0x9c2a8e3170d6b5f4};
};
template <>
struct HandleType<const Program> {
  static constexpr const char* kName = "a native program";
  static constexpr napi_type_tag kTag = {0xe3b9074c6a1d4285, 0xb86f52d91e4c7a30};
};
template <>
struct HandleType<CancelToken> {
  static constexpr const char* kName = "a cancel token";
  static constexpr napi_type_tag kTag = {0x17c84e9d250b4fa6, 0xa4d37b60f8921c5e};
};

// Told to V8, so that garbage collection knows how much hangs on a small handle.
inline size_t external_bytes(const Buffer& buffer) {
  return buffer.owned_bytes();
}
template <class T>
size_t external_bytes(const T&) {
  return 0;
}

// What a handle points to; empty after an explicit release.
template <class T>
struct Handle {
  std::shared_ptr<T> object;

  void release(Napi::Env env) {
    if (!object) return;
    const auto bytes = static_cast<int64_t>(external_bytes(*object));
    object.reset();
    if (bytes > 0) Napi::MemoryManagement::AdjustExternalMemory(env, -bytes);
  }
};

template <class T>
Napi::Value make_handle(Napi::Env env, std::shared_ptr<T> object) {
  const auto bytes = static_cast<int64_t>(external_bytes(*object));
  auto* const handle = new Handle<T>{std::move(object)};
  const auto finalize = [](Napi::Env finalizer_env, Handle<T>* data) {
    data->release(finalizer_env);
    delete data;
  };
  Napi::External<Handle<T>> external = Napi::External<Handle<T>>::New(env, handle, finalize);
  external.TypeTag(&HandleType<T>::kTag);
  if (bytes > 0) Napi::MemoryManagement::AdjustExternalMemory(env, bytes);
  return external;
}

template <class T>
Handle<T>& get_handle(Napi::Value value, const std::string& name) {
  const bool is_ours =
      value.IsExternal() && value.As<Napi::External<Handle<T>>>().CheckTypeTag(&HandleType<T>::kTag);
  if (!is_ours) throw_invalid(value.Env(), name + ": expected " + HandleType<T>::kName + ".");
  return *value.As<Napi::External<Handle<T>>>().Data();
}

template <class T>
std::shared_ptr<T> get_object(Napi::Value value, const std::string& name) {
  Handle<T>& handle = get_handle<T>(value, name);
  if (!handle.object) {
    throw to_js_error(value.Env(), {ErrorCode::kDisposed, name + ": was used after it had been released."});
  }
  return handle.object;
}

}  // namespace ipai::addon
