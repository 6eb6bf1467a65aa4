// What an executor's thread does with a job: one for each kind of device.
#pragma once

#include <cstddef>

#include "runtime/job.h"

namespace ipai {

class Runner {
 public:
  virtual ~Runner() = default;

  // Runs to the end, or to the first node after the token was cancelled. Does not throw.
  virtual JobResult run(const Job& job) = 0;
  // Gives memory that no job holds back to the system.
  virtual void trim() = 0;
  // Of intermediates. Readable from any thread.
  virtual size_t arena_bytes() const = 0;
  virtual size_t peak_arena_bytes() const = 0;
};

}  // namespace ipai
