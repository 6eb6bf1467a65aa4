// Functions of the addon that concern the machine and the runtime as a whole.
#include "addon/convert.h"
#include "addon/description.h"
#include "addon/devices.h"
#include "addon/errors.h"
#include "addon/functions.h"
#include "runtime/cpu_count.h"
#include "runtime/runtime.h"
#include "runtime/system_info.h"
#include "runtime/system_memory.h"

namespace ipai::addon {

void configure(const Napi::CallbackInfo& info) {
  const Napi::Object object = to_object(info[0], "configure: options");
  RuntimeOptions options;
  const Napi::Value threads = object.Get("threads");
  if (!threads.IsUndefined()) {
    options.threads = to_int32(threads, "configure: threads");
    if (options.threads < 1) throw_invalid(info.Env(), "configure: threads: expected at least 1.");
  }
  const Napi::Value sharers = object.Get("coreSharers");
  if (!sharers.IsUndefined()) {
    options.core_sharers = to_int32(sharers, "configure: coreSharers");
    if (options.core_sharers < 1) throw_invalid(info.Env(), "configure: coreSharers: expected at least 1.");
  }
  const Napi::Value target = object.Get("target");
  if (!target.IsUndefined()) options.target = to_string(target, "configure: target");
  check(info.Env(), Runtime::configure(options));
}

Napi::Value system_info(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Runtime& runtime = Runtime::get();
  Napi::Object result = Napi::Object::New(env);
  result.Set("cpuModel", cpu_model());
  Napi::Array features = Napi::Array::New(env);
  for (const std::string& feature : cpu_features()) features.Set(features.Length(), feature);
  result.Set("cpuFeatures", features);
  result.Set("cpuTarget", cpu_target_name(runtime.target()));
  result.Set("cores", available_cores());
  result.Set("threads", runtime.thread_count());
  const CacheSizes caches = cache_sizes();
  Napi::Object cache_object = Napi::Object::New(env);
  cache_object.Set("level1Data", static_cast<double>(caches.level1_data));
  cache_object.Set("level2", static_cast<double>(caches.level2));
  cache_object.Set("level3", static_cast<double>(caches.level3));
  result.Set("cacheBytes", cache_object);
  const SystemMemory memory = system_memory();
  result.Set("totalMemoryBytes", static_cast<double>(memory.total_bytes));
  result.Set("availableMemoryBytes", static_cast<double>(memory.available_bytes));
  return result;
}

Napi::Value describe_ops(const Napi::CallbackInfo& info) {
  Napi::Array ops = Napi::Array::New(info.Env());
  const ComputeDevice& device = to_device(info[0], "describeOps: device");
  for (const Op& op : device.registry().ops()) ops.Set(ops.Length(), from_op(info.Env(), op));
  return ops;
}

}  // namespace ipai::addon
