// The ranks of a training run: processes that a launcher has begun together, and sums over all of them. MPI
// is called on a thread of its own, so that neither JavaScript nor a device waits.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "runtime/executor.h"
#include "runtime/mpi_interface.h"

namespace ipai {

class Communicator {
 public:
  // The process's one, through the library of that path: MPI begins once in a process. It stays to the end,
  // for its thread may then wait within MPI. A process that ends between `initialize` and `finalize`, for
  // whatever reason, ends all others: they would wait for it. Fails with kDeviceUnavailable when the library
  // cannot be opened or is of another version.
  static Result<Communicator*> open(const std::string& library_path);
  // The one that was opened, or nullptr.
  static Communicator* get();

  explicit Communicator(const MpiInterface& mpi);

  // Runs what is below, but for `place`.
  Executor& executor() { return executor_; }
  void initialize();
  // Sum float32 buffers of the host's over all ranks, in place. Small ones that follow each other are summed
  // at once.
  void sum_floats(const std::vector<std::shared_ptr<Buffer>>& buffers);
  // Likewise of float64.
  void sum_doubles(Buffer& buffer);
  void finalize();

  // Once it is initialized.
  const MpiPlace& place() const { return place_; }

 private:
  static void abort_at_exit();
  void sum_packed(const std::shared_ptr<Buffer>* buffers, size_t count, size_t bytes);

  const MpiInterface& mpi_;
  MpiPlace place_;
  std::atomic<bool> has_joined_{false};
  std::vector<float> packed_;
  Executor executor_;
};

}  // namespace ipai
