// Functions of the addon that concern the ranks of a training run.
#include "addon/convert.h"
#include "addon/environment.h"
#include "addon/functions.h"
#include "addon/handles.h"
#include "runtime/communicator.h"

namespace ipai::addon {
namespace {

Communicator& communicator(Napi::Env env) {
  Communicator* const opened = Communicator::get();
  if (opened == nullptr) throw_invalid(env, "mpi: it has not begun in this process.");
  return *opened;
}

// A promise of the end of a task on the communicator's thread.
template <class Task>
Napi::Value submit(Napi::Env env, Communicator& ranks, Task task) {
  auto job = std::make_unique<Job>();
  job->task = [task = std::move(task)] {
    task();
    return Status::success();
  };
  return Environment::of(env).run(ranks.executor(), std::move(job));
}

// A buffer of the host's that may be written, of whole elements.
std::shared_ptr<Buffer> to_summand(Napi::Value value, const std::string& name, size_t element_bytes) {
  auto buffer = get_object<Buffer>(value, name);
  if (buffer->device() != nullptr || buffer->read_only() || buffer->size() % element_bytes != 0) {
    throw_invalid(value.Env(), name + ": expected a buffer of the host's, writable, of elements of " +
                                   std::to_string(element_bytes) + " bytes.");
  }
  return buffer;
}

}  // namespace

Napi::Value open_mpi(const Napi::CallbackInfo& info) {
  Communicator* const ranks = take(info.Env(), Communicator::open(to_string(info[0], "openMpi: library")));
  return submit(info.Env(), *ranks, [ranks] { ranks->initialize(); });
}

Napi::Value mpi_place(const Napi::CallbackInfo& info) {
  const MpiPlace& place = communicator(info.Env()).place();
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("rank", place.rank);
  result.Set("size", place.size);
  result.Set("localRank", place.local_rank);
  result.Set("coreSharers", place.core_sharers);
  return result;
}

Napi::Value sum_floats(const Napi::CallbackInfo& info) {
  Communicator& ranks = communicator(info.Env());
  const Napi::Array array = to_array(info[0], "sumFloats: buffers");
  std::vector<std::shared_ptr<Buffer>> buffers;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::HandleScope scope(info.Env());
    buffers.push_back(to_summand(array.Get(i), "sumFloats: buffers", sizeof(float)));
  }
  return submit(info.Env(), ranks, [&ranks, buffers = std::move(buffers)] { ranks.sum_floats(buffers); });
}

Napi::Value sum_doubles(const Napi::CallbackInfo& info) {
  Communicator& ranks = communicator(info.Env());
  auto buffer = to_summand(info[0], "sumDoubles: buffer", sizeof(double));
  return submit(info.Env(), ranks, [&ranks, buffer = std::move(buffer)] { ranks.sum_doubles(*buffer); });
}

Napi::Value close_mpi(const Napi::CallbackInfo& info) {
  Communicator& ranks = communicator(info.Env());
  return submit(info.Env(), ranks, [&ranks] { ranks.finalize(); });
}

}  // namespace ipai::addon
