#include "runtime/communicator.h"

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <mutex>

namespace ipai {
namespace {

// Buffers are packed up to this: a sum of less takes no less time on a network.
constexpr size_t kPackedBytes = size_t{4} << 20;

Status unavailable(const std::string& message) {
  return {ErrorCode::kDeviceUnavailable, "mpi: " + message};
}

// The communicator's jobs are tasks.
class NoPrograms : public Runner {
 public:
  JobResult run(const Job&) override {
    return {{ErrorCode::kInternal, "a program was given to the communicator."}, {}};
  }
  void trim() override {}
  size_t arena_bytes() const override { return 0; }
  size_t peak_arena_bytes() const override { return 0; }
};

std::mutex mutex;
Communicator* instance = nullptr;

Result<const MpiInterface*> open_library(const std::string& path) {
  // Global, for that MPI's own plugins look for its symbols.
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) {
    const char* const problem = dlerror();
    return unavailable(std::string("the library cannot be opened: ") + (problem ? problem : path) + ".");
  }
  const auto function = reinterpret_cast<MpiInterfaceFunction>(dlsym(library, kMpiInterfaceSymbol));
  if (function == nullptr)
    return unavailable(path + " is not a library of ip-adapter-instruct. Build it again.");
  const MpiInterface* const mpi = function();
  if (mpi->version != kMpiInterfaceVersion || mpi->bytes != sizeof(MpiInterface)) {
    return unavailable(path + " speaks version " + std::to_string(mpi->version) +
                       " of the interface, the addon version " + std::to_string(kMpiInterfaceVersion) +
                       ". Build both again.");
  }
  return mpi;
}

}  // namespace

Result<Communicator*> Communicator::open(const std::string& library_path) {
  std::lock_guard<std::mutex> lock(mutex);
  if (instance != nullptr) return Status::invalid("mpi: it has begun in this process already.");
  Result<const MpiInterface*> mpi = open_library(library_path);
  if (!mpi.ok()) return mpi.status();
  instance = new Communicator(*mpi.value());
  std::atexit(abort_at_exit);
  return instance;
}

Communicator* Communicator::get() {
  std::lock_guard<std::mutex> lock(mutex);
  return instance;
}

Communicator::Communicator(const MpiInterface& mpi) : mpi_(mpi), executor_(std::make_unique<NoPrograms>()) {}

void Communicator::abort_at_exit() {
  Communicator* const ranks = get();
  if (ranks->has_joined_) ranks->mpi_.abort(1);
}

void Communicator::initialize() {
  place_ = mpi_.initialize();
  has_joined_ = true;
}

void Communicator::finalize() {
  mpi_.finalize();
  has_joined_ = false;
}

void Communicator::sum_floats(const std::vector<std::shared_ptr<Buffer>>& buffers) {
  for (size_t begin = 0; begin < buffers.size();) {
    size_t end = begin;
    size_t bytes = 0;
    do {
      bytes += buffers[end++]->size();
    } while (end < buffers.size() && bytes + buffers[end]->size() <= kPackedBytes);
    sum_packed(&buffers[begin], end - begin, bytes);
    begin = end;
  }
}

void Communicator::sum_doubles(Buffer& buffer) {
  mpi_.sum_double(reinterpret_cast<double*>(buffer.data()), buffer.size() / sizeof(double));
}

void Communicator::sum_packed(const std::shared_ptr<Buffer>* buffers, size_t count, size_t bytes) {
  if (count == 1) return mpi_.sum_float(reinterpret_cast<float*>(buffers[0]->data()), bytes / sizeof(float));
  packed_.resize(bytes / sizeof(float));
  std::byte* const packed = reinterpret_cast<std::byte*>(packed_.data());
  size_t offset = 0;
  for (size_t i = 0; i < count; offset += buffers[i++]->size())
    std::memcpy(packed + offset, buffers[i]->data(), buffers[i]->size());
  mpi_.sum_float(packed_.data(), packed_.size());
  offset = 0;
  for (size_t i = 0; i < count; offset += buffers[i++]->size())
    std::memcpy(buffers[i]->data(), packed + offset, buffers[i]->size());
}

}  // namespace ipai
