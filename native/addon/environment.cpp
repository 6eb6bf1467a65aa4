#include "addon/environment.h"

#include "addon/errors.h"
#include "runtime/communicator.h"
#include "runtime/runtime.h"

namespace ipai::addon {
namespace {

Napi::Value from_profile(Napi::Env env, const std::vector<NodeTime>& profile) {
  if (profile.empty()) return env.Undefined();
  Napi::Float64Array times = Napi::Float64Array::New(env, profile.size() * 2);
  for (size_t i = 0; i < profile.size(); ++i) {
    times[2 * i] = profile[i].start_us;
    times[2 * i + 1] = profile[i].end_us;
  }
  return times;
}

}  // namespace

Environment::Environment(Napi::Env env)
    : env_(env), callback_(Callback::New(env, "ip-adapter-instruct", 0, 1, this)) {
  callback_.Unref(env);
  // Hooks run last in, first out: this one runs before the callback's own, so that no job is left to call it
  // then.
  napi_add_env_cleanup_hook(env, close, this);
}

// The environment ends, perhaps in the middle of a run (process end, worker.terminate()).
void Environment::close(void* data) {
  auto* const environment = static_cast<Environment*>(data);
  if (!environment->has_run_) return;
  Runtime::get().drain(environment);
  if (Communicator* const ranks = Communicator::get()) ranks->executor().drain(environment);
}

Napi::Value Environment::run(Executor& executor, std::unique_ptr<Job> job) {
  napi_deferred deferred = nullptr;
  napi_value promise = nullptr;
  NAPI_THROW_IF_FAILED(env_, napi_create_promise(env_, &deferred, &promise), Napi::Value());
  job->owner = this;
  job->done = [this, deferred](JobResult result) {
    auto* const completion = new Completion{deferred, std::move(result)};
    if (callback_.NonBlockingCall(completion) != napi_ok) delete completion;
  };
  count_pending(1);
  has_run_ = true;
  executor.submit(std::move(job));
  return Napi::Value(env_, promise);
}

// On the environment's own thread; `env` is null when the environment ended before the call was made.
void Environment::settle(Napi::Env env, Napi::Function, Environment* environment, Completion* data) {
  const std::unique_ptr<Completion> completion(data);
  if (env == nullptr) return;
  environment->count_pending(-1);
  const JobResult& result = completion->result;
  if (result.status.ok()) {
    napi_resolve_deferred(env, completion->deferred, from_profile(env, result.profile));
  } else {
    napi_reject_deferred(env, completion->deferred, to_js_error(env, result.status).Value());
  }
}

void Environment::count_pending(int change) {
  const bool was_idle = pending_ == 0;
  pending_ += change;
  if (was_idle) {
    callback_.Ref(env_);
  } else if (pending_ == 0) {
    callback_.Unref(env_);
  }
}

}  // namespace ipai::addon
