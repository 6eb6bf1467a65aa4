// Entry of the addon: a flat list of functions, and one Environment for each JavaScript thread that loads it.
#include <napi.h>

#include "addon/environment.h"
#include "addon/functions.h"

namespace ipai::addon {
namespace {

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Environment(env));
  const auto add = [&](const char* name, auto function) {
    exports.Set(name, Napi::Function::New(env, function, name));
  };
  add("configure", configure);
  add("systemInfo", system_info);
  add("describeOps", describe_ops);
  add("openCuda", open_cuda);
  add("cudaInfo", cuda_info);
  add("countCudaDevices", count_cuda_devices);
  add("allocate", allocate);
  add("mapFile", map_file);
  add("view", view);
  add("write", write);
  add("read", read);
  add("copy", copy);
  add("byteLength", byte_length);
  add("release", release);
  add("memoryUsage", memory_usage);
  add("trimMemory", trim_memory);
  add("compile", compile);
  add("plan", plan);
  add("run", run);
  add("createToken", create_token);
  add("cancel", cancel);
  add("openMpi", open_mpi);
  add("mpiPlace", mpi_place);
  add("sumFloats", sum_floats);
  add("sumDoubles", sum_doubles);
  add("closeMpi", close_mpi);
  add("ncclVersion", nccl_version);
  add("nameGroup", name_group);
  add("createGroup", create_group);
  add("joinGroup", join_group);
  add("sumOverGroup", sum_over_group);
  add("leaveGroup", leave_group);
  return exports;
}

}  // namespace

NODE_API_MODULE(ip_adapter_instruct, initialize)

}  // namespace ipai::addon
