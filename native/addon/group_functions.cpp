// Functions of the addon that concern groups of devices.
#include <cstring>

#include "addon/convert.h"
#include "addon/environment.h"
#include "addon/functions.h"
#include "addon/handles.h"
#include "runtime/cuda_library.h"
#include "runtime/device_group.h"

namespace ipai::addon {
namespace {

// A promise of the end of a task on the device's thread.
Napi::Value submit(Napi::Env env, DeviceGroup& group, std::function<Status()> task) {
  auto job = std::make_unique<Job>();
  job->task = std::move(task);
  return Environment::of(env).run(group.device().executor(), std::move(job));
}

CudaGroupId to_group_id(Napi::Value value, const std::string& name) {
  const Bytes bytes = to_bytes(value, name);
  CudaGroupId id;
  if (bytes.size != sizeof(id.bytes)) {
    throw_invalid(value.Env(), name + ": expected " + std::to_string(sizeof(id.bytes)) + " bytes, got " +
                                   std::to_string(bytes.size) + ".");
  }
  std::memcpy(id.bytes, bytes.data, bytes.size);
  return id;
}

std::shared_ptr<Buffer> to_summand(Napi::Value value, const CudaDevice& device) {
  auto buffer = get_object<Buffer>(value, "sumOverGroup: buffers");
  if (!device.holds(*buffer) || buffer->size() % sizeof(float) != 0)
    throw_invalid(value.Env(), "sumOverGroup: buffers: expected float32 on the group's device.");
  return buffer;
}

}  // namespace

Napi::Value nccl_version(const Napi::CallbackInfo& info) {
  const int version = get_object<CudaDevice>(info[0], "ncclVersion: device")->cuda().nccl_version();
  return version == 0 ? info.Env().Null() : Napi::String::New(info.Env(), nccl_version_text(version));
}

Napi::Value name_group(const Napi::CallbackInfo& info) {
  const auto device = get_object<CudaDevice>(info[0], "nameGroup: device");
  const CudaGroupId id = take(info.Env(), DeviceGroup::name(*device));
  Napi::Uint8Array name = Napi::Uint8Array::New(info.Env(), sizeof(id.bytes));
  std::memcpy(name.Data(), id.bytes, sizeof(id.bytes));
  return name;
}

Napi::Value create_group(const Napi::CallbackInfo& info) {
  const auto device = get_object<CudaDevice>(info[0], "createGroup: device");
  return make_handle(info.Env(), std::make_shared<DeviceGroup>(*device));
}

Napi::Value join_group(const Napi::CallbackInfo& info) {
  auto group = get_object<DeviceGroup>(info[0], "joinGroup: group");
  const CudaGroupId id = to_group_id(info[1], "joinGroup: name");
  const int32_t rank = to_int32(info[2], "joinGroup: rank");
  const int32_t size = to_int32(info[3], "joinGroup: size");
  if (rank < 0 || rank >= size) throw_invalid(info.Env(), "joinGroup: expected a rank below the size.");
  DeviceGroup& joining = *group;
  return submit(info.Env(), joining,
                [group = std::move(group), id, rank, size] { return group->join(id, rank, size); });
}

Napi::Value sum_over_group(const Napi::CallbackInfo& info) {
  auto group = get_object<DeviceGroup>(info[0], "sumOverGroup: group");
  const Napi::Array array = to_array(info[1], "sumOverGroup: buffers");
  std::vector<std::shared_ptr<Buffer>> buffers;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::HandleScope scope(info.Env());
    buffers.push_back(to_summand(array.Get(i), group->device()));
  }
  DeviceGroup& summing = *group;
  return submit(info.Env(), summing, [group = std::move(group), buffers = std::move(buffers)] {
    return group->sum_floats(buffers);
  });
}

Napi::Value leave_group(const Napi::CallbackInfo& info) {
  auto group = get_object<DeviceGroup>(info[0], "leaveGroup: group");
  DeviceGroup& leaving = *group;
  return submit(info.Env(), leaving, [group = std::move(group)] {
    group->leave();
    return Status::success();
  });
}

}  // namespace ipai::addon
