// How much memory is left to this process: the machine's and, in a container, its control group's.
#pragma once

#include <cstddef>
#include <string>

#include "runtime/status.h"

namespace ipai {

struct SystemMemory {
  size_t total_bytes;
  size_t available_bytes;
};

// The smaller of the machine's and the control group's figures.
SystemMemory system_memory();

// "12.3 MiB"
std::string mebibytes(size_t bytes);

// The error for `bytes` that could not be had; `purpose` as in "the arena of a program".
Status out_of_memory(size_t bytes, const std::string& purpose);

// Linux promises memory that it has not got and later kills the process that uses it; so large requests are
// compared with what is there before they are made.
Status check_memory_for(size_t bytes, const std::string& purpose);

}  // namespace ipai
