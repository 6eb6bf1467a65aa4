// Functions of the addon that concern memory.
#include <cstring>

#include "addon/convert.h"
#include "addon/devices.h"
#include "addon/environment.h"
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

// The bytes are copied now and sent when the device comes to it: JavaScript does not wait.
void write_to_device(Napi::Env env, const std::shared_ptr<Buffer>& target, size_t offset,
                     const Bytes& bytes) {
  const std::shared_ptr<Buffer> source = take(env, Buffer::allocate(bytes.size));
  std::memcpy(source->data(), bytes.data, bytes.size);
  auto job = std::make_unique<Job>();
  job->task = [source, target, offset] {
    const Status status = target->device()->copy(*target, offset, *source);
    if (!status.ok()) target->fail(status);
    return status;
  };
  // A failure is told by the next job that reads the buffer.
  job->done = [](const JobResult&) {};
  target->device()->executor().submit(std::move(job));
}

}  // namespace

Napi::Value allocate(const Napi::CallbackInfo& info) {
  const size_t bytes = to_size(info[0], "allocate: bytes");
  return make_handle(info.Env(), take(info.Env(), to_device(info[1], "allocate: device").allocate(bytes)));
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
  if (source.size == 0) return;
  if (buffer->device() != nullptr) return write_to_device(info.Env(), buffer, offset, source);
  std::memcpy(target, source.data, source.size);
}

void read(const Napi::CallbackInfo& info) {
  const auto buffer = get_object<Buffer>(info[0], "read: buffer");
  if (buffer->device() != nullptr)
    throw_invalid(info.Env(), "read: the buffer lies on a device; copy it to the host first.");
  const size_t offset = to_size(info[1], "read: byteOffset");
  const Bytes target = to_bytes(info[2], "read: data");
  const std::byte* const source = range(info.Env(), *buffer, offset, target.size, "read");
  if (target.size > 0) std::memcpy(target.data, source, target.size);
}

Napi::Value copy(const Napi::CallbackInfo& info) {
  const auto source = get_object<Buffer>(info[0], "copy: source");
  const auto target = get_object<Buffer>(info[1], "copy: target");
  if (target->read_only()) throw_invalid(info.Env(), "copy: a mapped file is read-only.");
  range(info.Env(), *target, 0, source->size(), "copy");
  ComputeDevice* const device = target->device() != nullptr ? target->device() : source->device();
  if (target->device() != nullptr && source->device() != nullptr && target->device() != source->device())
    throw_invalid(info.Env(), "copy: the buffers lie on two devices; copy by way of the host.");
  ComputeDevice& worker = device != nullptr ? *device : Runtime::get().cpu();
  auto job = std::make_unique<Job>();
  job->task = [&worker, source, target] {
    const Status status = source->failure().ok() ? worker.copy(*target, 0, *source) : source->failure();
    if (!status.ok() && target->device() != nullptr) target->fail(status);
    return status;
  };
  return Environment::of(info.Env()).run(worker.executor(), std::move(job));
}

Napi::Value byte_length(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(),
                           static_cast<double>(get_object<Buffer>(info[0], "byteLength: buffer")->size()));
}

void release(const Napi::CallbackInfo& info) {
  get_handle<Buffer>(info[0], "release: buffer").object.reset();
}

Napi::Value memory_usage(const Napi::CallbackInfo& info) {
  ComputeDevice& device = to_device(info[0], "memoryUsage: device");
  const DeviceMemoryUsage memory = device.memory_usage();
  const Runner& runner = device.executor().runner();
  Napi::Object usage = Napi::Object::New(info.Env());
  usage.Set("bufferBytes", static_cast<double>(memory.buffer_bytes));
  usage.Set("peakBufferBytes", static_cast<double>(memory.peak_buffer_bytes));
  usage.Set("arenaBytes", static_cast<double>(runner.arena_bytes()));
  usage.Set("peakArenaBytes", static_cast<double>(runner.peak_arena_bytes()));
  return usage;
}

void trim_memory(const Napi::CallbackInfo& info) {
  to_device(info[0], "trimMemory: device").executor().trim();
}

}  // namespace ipai::addon
