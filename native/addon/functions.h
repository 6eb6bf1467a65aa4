// The functions that JavaScript can call; lib/runtime/addon.ts has their types and descriptions.
#pragma once

#include <napi.h>

namespace ipai::addon {

Napi::Value allocate(const Napi::CallbackInfo& info);
Napi::Value map_file(const Napi::CallbackInfo& info);
Napi::Value view(const Napi::CallbackInfo& info);
void write(const Napi::CallbackInfo& info);
void read(const Napi::CallbackInfo& info);
Napi::Value copy(const Napi::CallbackInfo& info);
Napi::Value byte_length(const Napi::CallbackInfo& info);
void release(const Napi::CallbackInfo& info);
Napi::Value memory_usage(const Napi::CallbackInfo& info);
void trim_memory(const Napi::CallbackInfo& info);

void configure(const Napi::CallbackInfo& info);
Napi::Value system_info(const Napi::CallbackInfo& info);
Napi::Value describe_ops(const Napi::CallbackInfo& info);
Napi::Value open_cuda(const Napi::CallbackInfo& info);
Napi::Value cuda_info(const Napi::CallbackInfo& info);
Napi::Value count_cuda_devices(const Napi::CallbackInfo& info);

Napi::Value compile(const Napi::CallbackInfo& info);
Napi::Value plan(const Napi::CallbackInfo& info);
Napi::Value run(const Napi::CallbackInfo& info);
Napi::Value create_token(const Napi::CallbackInfo& info);
void cancel(const Napi::CallbackInfo& info);

Napi::Value open_mpi(const Napi::CallbackInfo& info);
Napi::Value mpi_place(const Napi::CallbackInfo& info);
Napi::Value sum_floats(const Napi::CallbackInfo& info);
Napi::Value sum_doubles(const Napi::CallbackInfo& info);
Napi::Value close_mpi(const Napi::CallbackInfo& info);

Napi::Value nccl_version(const Napi::CallbackInfo& info);
Napi::Value name_group(const Napi::CallbackInfo& info);
Napi::Value create_group(const Napi::CallbackInfo& info);
Napi::Value join_group(const Napi::CallbackInfo& info);
Napi::Value sum_over_group(const Napi::CallbackInfo& info);
Napi::Value leave_group(const Napi::CallbackInfo& info);

}  // namespace ipai::addon
