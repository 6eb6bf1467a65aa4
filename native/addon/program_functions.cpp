// Functions of the addon that compile and run programs.
#include "addon/convert.h"
#include "addon/description.h"
#include "addon/devices.h"
#include "addon/environment.h"
#include "addon/functions.h"
#include "addon/handles.h"
#include "runtime/runtime.h"

namespace ipai::addon {
namespace {

std::vector<std::shared_ptr<Buffer>> to_buffers(Napi::Object bindings, const char* field) {
  const std::string name = std::string("run: ") + field;
  const Napi::Array array = to_array(bindings.Get(field), name);
  std::vector<std::shared_ptr<Buffer>> buffers;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::HandleScope scope(bindings.Env());
    buffers.push_back(get_object<Buffer>(array.Get(i), name + "[" + std::to_string(i) + "]"));
  }
  return buffers;
}

}  // namespace

Napi::Value compile(const Napi::CallbackInfo& info) {
  ComputeDevice& device = to_device(info[1], "compile: device");
  return make_handle(info.Env(), take(info.Env(), device.compile(to_description(info[0]))));
}

Napi::Value plan(const Napi::CallbackInfo& info) {
  return from_plan(info.Env(), *get_object<const Program>(info[0], "plan: program"));
}

Napi::Value run(const Napi::CallbackInfo& info) {
  auto job = std::make_unique<Job>();
  job->program = get_object<const Program>(info[0], "run: program");
  const Napi::Object bindings = to_object(info[1], "run: bindings");
  job->inputs = to_buffers(bindings, "inputs");
  job->parameters = to_buffers(bindings, "parameters");
  job->outputs = to_buffers(bindings, "outputs");
  job->profile = to_flag(bindings.Get("profile"), "run: profile");
  job->check_nan = to_flag(bindings.Get("checkNan"), "run: checkNan");
  job->token = get_object<CancelToken>(info[2], "run: token");
  check(info.Env(), check_bindings(*job));
  Executor& executor = job->program->device->executor();
  return Environment::of(info.Env()).run(executor, std::move(job));
}

Napi::Value create_token(const Napi::CallbackInfo& info) {
  return make_handle(info.Env(), std::make_shared<CancelToken>());
}

void cancel(const Napi::CallbackInfo& info) {
  Runtime::get().cancel(get_object<CancelToken>(info[0], "cancel: token"));
}

}  // namespace ipai::addon
