// The border between the addon and libipai_mpi.so (native/mpi): one table of C functions, which the library
// hands out by name. Only that library knows MPI, so that the addon loads where there is none.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ipai {

// Counts up with every change of what is below.
inline constexpr uint32_t kMpiInterfaceVersion = 1;
inline constexpr char kMpiInterfaceSymbol[] = "ipai_mpi_interface";

// A process among those that were launched together.
struct MpiPlace {
  int rank = 0;
  int size = 1;
  // Among the ranks of this machine.
  int local_rank = 0;
  // Ranks of this machine that may run on processors of this one's, itself included.
  int core_sharers = 1;
};

// What goes wrong within MPI ends all ranks, with a message of MPI's own. All functions but `abort` are for
// the thread that called `initialize`, which happens once in a process; all ranks call `initialize`, sums and
// `finalize` in the same order.
struct MpiInterface {
  uint32_t version;
  // Of this struct.
  uint32_t bytes;

  MpiPlace (*initialize)();
  // Sums over all ranks, in place; the ranks get equal bits.
  void (*sum_float)(float* values, size_t count);
  void (*sum_double)(double* values, size_t count);
  void (*finalize)();
  // Ends all ranks, and does not return. From any thread.
  void (*abort)(int exit_code);
};

using MpiInterfaceFunction = const MpiInterface* (*)();

}  // namespace ipai
