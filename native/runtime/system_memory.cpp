#include "runtime/system_memory.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "runtime/control_group.h"

namespace ipai {
namespace {

// Smaller requests are not worth reading /proc for.
constexpr size_t kUncheckedBytes = size_t{16} << 20;

// "MemAvailable:  123 kB" of /proc/meminfo in bytes; 0 where there is no such file.
size_t meminfo(const char* key) {
  std::ifstream file("/proc/meminfo");
  std::string name;
  size_t kilobytes = 0;
  std::string unit;
  while (file >> name >> kilobytes && std::getline(file, unit)) {
    if (name == key) return kilobytes * 1024;
  }
  return 0;
}

}  // namespace

std::string mebibytes(size_t bytes) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f MiB", static_cast<double>(bytes) / (1 << 20));
  return text;
}

SystemMemory system_memory() {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  SystemMemory memory{static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * page, meminfo("MemAvailable:")};
  if (memory.available_bytes == 0) memory.available_bytes = memory.total_bytes;
  if (const auto group = control_group_memory()) {
    const size_t left = group->limit_bytes > group->used_bytes ? group->limit_bytes - group->used_bytes : 0;
    memory.total_bytes = std::min(memory.total_bytes, group->limit_bytes);
    memory.available_bytes = std::min(memory.available_bytes, left);
  }
  return memory;
}

Status out_of_memory(size_t bytes, const std::string& purpose) {
  return {ErrorCode::kOutOfMemory, "out of memory: " + mebibytes(bytes) + " needed for " + purpose + ", " +
                                       mebibytes(system_memory().available_bytes) +
                                       " available. Try a smaller picture or batch, or dtype 'bfloat16'."};
}

Status check_memory_for(size_t bytes, const std::string& purpose) {
  if (bytes <= kUncheckedBytes || bytes <= system_memory().available_bytes) return Status::success();
  return out_of_memory(bytes, purpose);
}

}  // namespace ipai
