// Native objects as JavaScript sees them: opaque values with a type tag, so that a foreign one is an error,
// not a crash.
#pragma once

#include <napi.h>

#include <memory>

#include "addon/errors.h"
#include "runtime/buffer.h"
#include "runtime/cuda_device.h"
#include "runtime/device_group.h"
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
template <>
struct HandleType<CudaDevice> {
  static constexpr const char* kName = "a CUDA device";
  static constexpr napi_type_tag kTag = {0x2f6ba1c85d094e37, 0x8e1d43f07ac95b26};
};
template <>
struct HandleType<DeviceGroup> {
  static constexpr const char* kName = "a group of devices";
  static constexpr napi_type_tag kTag = {0x74ce08d5a16b4f29, 0xb05d92e7c3f8416a};
};

// What a handle points to; empty after an explicit release. Its size is not reported to V8
// (AdjustExternalMemory): gigabytes of weights make V8 run one full collection after another, each of which
// holds the main thread for 50-120 ms and frees nothing. Owners release explicitly; the finalizer is a net.
template <class T>
struct Handle {
  std::shared_ptr<T> object;
};

template <class T>
Napi::Value make_handle(Napi::Env env, std::shared_ptr<T> object) {
  auto* const handle = new Handle<T>{std::move(object)};
  const auto finalize = [](Napi::Env, Handle<T>* data) { delete data; };
  Napi::External<Handle<T>> external = Napi::External<Handle<T>>::New(env, handle, finalize);
  external.TypeTag(&HandleType<T>::kTag);
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
