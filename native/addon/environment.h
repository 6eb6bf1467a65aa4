// What belongs to one JavaScript environment (the main thread or a worker): its runs and the way back to its
// thread.
#pragma once

#include <napi.h>

#include <memory>

#include "runtime/executor.h"

namespace ipai::addon {

class Environment {
 public:
  explicit Environment(Napi::Env env);
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  // Submits a job and returns a promise of its profile. While one is pending the process stays alive.
  Napi::Value run(Executor& executor, std::unique_ptr<Job> job);

 private:
  struct Completion {
    napi_deferred deferred;
    JobResult result;
  };
  static void settle(Napi::Env env, Napi::Function, Environment* environment, Completion* completion);
  using Callback = Napi::TypedThreadSafeFunction<Environment, Completion, settle>;

  static void close(void* environment);
  void count_pending(int change);

  Napi::Env env_;
  Callback callback_;
  int pending_ = 0;
  bool has_run_ = false;
};

}  // namespace ipai::addon
