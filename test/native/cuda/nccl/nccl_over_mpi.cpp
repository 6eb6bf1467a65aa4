// NCCL's functions by MPI, over memory of the host: libnccl.so.2 for tests with the emulated device. As on
// one GPU that two processes share, it has none of them join where IPAI_EMULATED_NCCL is "shared".
#include <mpi.h>

#include <cstdlib>
#include <cstring>

namespace {

struct UniqueId {
  char bytes[128];
};

constexpr int kSuccess = 0;
constexpr int kInvalidUsage = 5;

MPI_Comm members = MPI_COMM_NULL;

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int ncclGetVersion(int* version) {
  *version = 29901;
  return kSuccess;
}

__attribute__((visibility("default"))) int ncclGetUniqueId(UniqueId* id) {
  for (size_t i = 0; i < sizeof(id->bytes); ++i) id->bytes[i] = static_cast<char>(i - 100);
  return kSuccess;
}

__attribute__((visibility("default"))) int ncclCommInitRank(void** communicator, int size, UniqueId id,
                                                            int rank) {
  UniqueId expected;
  ncclGetUniqueId(&expected);
  int world_size = 0;
  int world_rank = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &world_size);
  MPI_Comm_rank(MPI_COMM_WORLD, &world_rank);
  const bool is_named = std::memcmp(&id, &expected, sizeof(id)) == 0;
  const char* const setting = std::getenv("IPAI_EMULATED_NCCL");
  const bool is_shared = setting != nullptr && std::strcmp(setting, "shared") == 0;
  if (!is_named || is_shared || size != world_size || rank != world_rank) return kInvalidUsage;
  MPI_Comm_dup(MPI_COMM_WORLD, &members);
  *communicator = &members;
  return kSuccess;
}

__attribute__((visibility("default"))) int ncclCommDestroy(void* communicator) {
  MPI_Comm_free(static_cast<MPI_Comm*>(communicator));
  return kSuccess;
}

__attribute__((visibility("default"))) int ncclAllReduce(const void* source, void* target, size_t count,
                                                         int dtype, int operation, void* communicator,
                                                         void*) {
  constexpr int kFloat32 = 7;
  if (source != target || dtype != kFloat32 || operation != 0) return kInvalidUsage;
  MPI_Allreduce(MPI_IN_PLACE, target, static_cast<int>(count), MPI_FLOAT, MPI_SUM,
                *static_cast<MPI_Comm*>(communicator));
  return kSuccess;
}

__attribute__((visibility("default"))) int ncclGroupStart() {
  return kSuccess;
}

__attribute__((visibility("default"))) int ncclGroupEnd() {
  return kSuccess;
}

__attribute__((visibility("default"))) const char* ncclGetErrorString(int) {
  return "invalid usage";
}
}
