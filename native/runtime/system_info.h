// What the machine is, for bug reports and for choosing block sizes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "runtime/system_memory.h"

namespace ipai {

struct CacheSizes {
  // Per core (1 and 2) or per group of cores (3), in bytes; 0 where the system does not say.
  size_t level1_data = 0;
  size_t level2 = 0;
  size_t level3 = 0;
};

CacheSizes cache_sizes();

// The name that the processor's maker gave it; empty where the system does not say.
std::string cpu_model();

}  // namespace ipai
