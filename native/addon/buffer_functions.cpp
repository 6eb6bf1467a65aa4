// Functions of the addon that concern memory.
#include <cstring>

#include "addon/convert.h"
#include "addon/functions.h"
#include "addon/handles.h"
#include "runtime/runtime.h"

namespace ipai::addon {
namespace {

// Where `bytes` begin in the buffer, checked against its end.
std::byte* range(Napi::Env env, const Buffer& buffer, size_t offset, size_t bytes, const char* function) {
  if (offset > buffer.size() || bytes > buffer.size() - offset) {
    throw_invalid(env, std::string(function) + ": " + std::to_string(bytes) + " bytes at offset " +
                           std::to_string(offset) + " do not fit a buffer of " +
                           std::to_string(buffer.size()) + ".");
  }
  return buffer.data() + offset;
}

}  // namespace

Napi::Value allocate(const Napi::CallbackInfo& info) {
  return make_handle(info.Env(), take(info.Env(), Buffer::allocate(to_size(info[0], "allocate: bytes"))));
}

Napi::Value map_file(const Napi::CallbackInfo& info) {
  return make_handle(info.Env(), take(info.Env(), Buffer::map_file(to_string(info[0], "mapFile: path"))));
}

Napi::Value view(const Napi::CallbackInfo& info) {
  const auto source = get_object<Buffer>(info[0], "view: buffer");
  const size_t offset = to_size(info[1], "view: byteOffset");
  const size_t bytes = to_size(info[2], "view: byteLength");
  return make_handle(info.Env(), take(info.Env(), Buffer::view(source, offset, bytes)));
}

void write(const Napi::CallbackInfo& info) {
  const auto buffer = get_object<Buffer>(info[0], "write: buffer");
  if (buffer->read_only()) throw_invalid(info.Env(), "write: a mapped file is read-only.");
  const size_t offset = to_size(info[1], "write: byteOffset");
  const Bytes source = to_bytes(info[2], "write: data");
  std::byte* const target = range(info.Env(), *buffer, offset, source.size, "write");
  if (source.size > 0) std::memcpy(target, source.data, source.size);
}

void read(const Napi::CallbackInfo& info) {
  const auto buffer = get_object<Buffer>(info[0], "read: buffer");
  const size_t offset = to_size(info[1], "read: byteOffset");
  const Bytes target = to_bytes(info[2], "read: data");
  const std::byte* const source = range(info.Env(), *buffer, offset, target.size, "read");
  if (target.size > 0) std::memcpy(target.data, source, target.size);
}

Napi::Value byte_length(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(),
                           static_cast<double>(get_object<Buffer>(info[0], "byteLength: buffer")->size()));
}

void release(const Napi::CallbackInfo& info) {
  get_handle<Buffer>(info[0], "release: buffer").object.reset();
}

Napi::Value memory_usage(const Napi::CallbackInfo& info) {
  const ProgramRunner& runner = Runtime::get().executor().runner();
  Napi::Object usage = Napi::Object::New(info.Env());
  usage.Set("bufferBytes", static_cast<double>(buffer_bytes()));
  usage.Set("peakBufferBytes", static_cast<double>(peak_buffer_bytes()));
  usage.Set("arenaBytes", static_cast<double>(runner.arena_bytes()));
  usage.Set("peakArenaBytes", static_cast<double>(runner.peak_arena_bytes()));
  return usage;
}

void trim_memory(const Napi::CallbackInfo&) {
  Runtime::get().executor().trim();
}

}  // namespace ipai::addon
