#include "runtime/system_info.h"

#include <unistd.h>

#include <fstream>

namespace ipai {
namespace {

#if defined(_SC_LEVEL1_DCACHE_SIZE)
size_t system_value(int name) {
  const long value = sysconf(name);
  return value > 0 ? static_cast<size_t>(value) : 0;
}
#endif

}  // namespace

CacheSizes cache_sizes() {
#if defined(_SC_LEVEL1_DCACHE_SIZE)
  return {system_value(_SC_LEVEL1_DCACHE_SIZE), system_value(_SC_LEVEL2_CACHE_SIZE),
          system_value(_SC_LEVEL3_CACHE_SIZE)};
#else
  return {};
#endif
}

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind("model name", 0) != 0) continue;
    const size_t colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "";
}

}  // namespace ipai
