#include "cuda/nccl.h"

#include <dlfcn.h>

namespace ipai::cuda {
namespace {

// NCCL's interface as of 2.0 (its user guide, "API"), so that no header of it is needed.
constexpr int kSuccess = 0;
constexpr int kFloat32 = 7;
constexpr int kSum = 0;

struct Functions {
  int (*version)(int* version);
  int (*unique_id)(CudaGroupId* id);
  int (*init_rank)(void** communicator, int size, CudaGroupId id, int rank);
  int (*destroy)(void* communicator);
  int (*all_reduce)(const void* source, void* target, size_t count, int dtype, int operation,
                    void* communicator, void* stream);
  int (*begin_group)();
  int (*end_group)();
  const char* (*error_text)(int result);
};

template <class F>
bool find(void* library, const char* name, F& function) {
  function = reinterpret_cast<F>(dlsym(library, name));
  return function != nullptr;
}

// The library stays open: it has threads of its own.
const Functions* open_library() {
  void* const library = dlopen("libnccl.so.2", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return nullptr;
  static Functions nccl;
  const bool has_all =
      find(library, "ncclGetVersion", nccl.version) && find(library, "ncclGetUniqueId", nccl.unique_id) &&
      find(library, "ncclCommInitRank", nccl.init_rank) && find(library, "ncclCommDestroy", nccl.destroy) &&
      find(library, "ncclAllReduce", nccl.all_reduce) && find(library, "ncclGroupStart", nccl.begin_group) &&
      find(library, "ncclGroupEnd", nccl.end_group) && find(library, "ncclGetErrorString", nccl.error_text);
  return has_all ? &nccl : nullptr;
}

const Functions* functions() {
  static const Functions* const found = open_library();
  return found;
}

CudaStatus check_nccl(int result, const char* doing) {
  if (result == kSuccess) return {};
  return to_status(ErrorCode::kDeviceUnavailable, std::string("nccl: ") + doing + ": " +
                                                      functions()->error_text(result) +
                                                      ". Set NCCL_DEBUG=WARN to learn more.");
}

CudaStatus check_found() {
  if (functions() != nullptr) return {};
  return to_status(ErrorCode::kDeviceUnavailable, "nccl: libnccl.so.2 was not found.");
}

}  // namespace

int nccl_version() {
  int version = 0;
  if (functions() == nullptr || functions()->version(&version) != kSuccess) return 0;
  return version;
}

CudaStatus nccl_name(CudaGroupId* id) {
  const CudaStatus found = check_found();
  return found.ok() ? check_nccl(functions()->unique_id(id), "naming a group") : found;
}

CudaStatus NcclGroup::join(const CudaGroupId& id, int rank, int size, NcclGroup* group) {
  const CudaStatus found = check_found();
  if (!found.ok()) return found;
  return check_nccl(functions()->init_rank(&group->communicator_, size, id, rank), "joining a group");
}

void NcclGroup::leave() {
  // Nothing can be done about a failure, and nothing is lost by one.
  (void)functions()->destroy(communicator_);
}

CudaStatus NcclGroup::sum(float* const* arrays, const size_t* counts, size_t array_count,
                          void* stream) const {
  const Functions& nccl = *functions();
  // What is between begin and end goes out in few launches.
  int result = nccl.begin_group();
  for (size_t i = 0; result == kSuccess && i < array_count; ++i)
    result = nccl.all_reduce(arrays[i], arrays[i], counts[i], kFloat32, kSum, communicator_, stream);
  const int end = nccl.end_group();
  return check_nccl(result == kSuccess ? end : result, "summing");
}

}  // namespace ipai::cuda
