// libipai_mpi.so: runtime/mpi_interface.h on top of the MPI that it was built with.
#include <mpi.h>

#include <unistd.h>
#include <climits>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

#include "runtime/mpi_interface.h"

namespace ipai {
namespace {

#if defined(__linux__)

int count_core_sharers(MPI_Comm machine, int local_size) {
  cpu_set_t own;
  CPU_ZERO(&own);
  sched_getaffinity(0, sizeof(own), &own);
  std::vector<cpu_set_t> all(static_cast<size_t>(local_size));
  MPI_Allgather(&own, sizeof(own), MPI_BYTE, all.data(), sizeof(own), MPI_BYTE, machine);
  int sharers = 0;
  for (const cpu_set_t& other : all) {
    cpu_set_t common;
    CPU_AND(&common, &own, &other);
    if (CPU_COUNT(&common) > 0) ++sharers;
  }
  return sharers;
}

#else

// Threads are not bound to processors.
int count_core_sharers(MPI_Comm, int local_size) {
  return local_size;
}

#endif

MpiPlace initialize() {
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided);
  MpiPlace place;
  MPI_Comm_rank(MPI_COMM_WORLD, &place.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &place.size);
  MPI_Comm machine;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, place.rank, MPI_INFO_NULL, &machine);
  int local_size = 1;
  MPI_Comm_rank(machine, &place.local_rank);
  MPI_Comm_size(machine, &local_size);
  place.core_sharers = count_core_sharers(machine, local_size);
  MPI_Comm_free(&machine);
  return place;
}

// MPI counts in int.
template <class T>
void sum(T* values, size_t count, MPI_Datatype type) {
  while (count > 0) {
    const int part = count < INT_MAX ? static_cast<int>(count) : INT_MAX;
    MPI_Allreduce(MPI_IN_PLACE, values, part, type, MPI_SUM, MPI_COMM_WORLD);
    values += part;
    count -= static_cast<size_t>(part);
  }
}

void sum_float(float* values, size_t count) {
  sum(values, count, MPI_FLOAT);
}

void sum_double(double* values, size_t count) {
  sum(values, count, MPI_DOUBLE);
}

void finalize() {
  MPI_Finalize();
}

void abort_all(int exit_code) {
  int provided = 0;
  MPI_Query_thread(&provided);
  // Elsewhere MPI may be called by one thread alone; launchers end the other ranks when one ends without
  // MPI_Finalize.
  if (provided == MPI_THREAD_MULTIPLE) MPI_Abort(MPI_COMM_WORLD, exit_code);
  _exit(exit_code);
}

constexpr MpiInterface kInterface = {
    kMpiInterfaceVersion, sizeof(MpiInterface), initialize, sum_float, sum_double, finalize, abort_all,
};

}  // namespace
}  // namespace ipai

extern "C" __attribute__((visibility("default"))) const ipai::MpiInterface* ipai_mpi_interface() {
  return &ipai::kInterface;
}
