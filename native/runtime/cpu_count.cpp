#include "runtime/cpu_count.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

#include "runtime/control_group.h"

namespace ipai {
namespace {

#if defined(__linux__)

// The processors that share a core with `processor`, e.g. "0,64"; itself where the system does not say.
std::string core_of(int processor) {
  const std::string folder = "/sys/devices/system/cpu/cpu" + std::to_string(processor) + "/topology/";
  std::ifstream file(folder + "thread_siblings_list");
  std::string siblings;
  if (!std::getline(file, siblings)) siblings = std::to_string(processor);
  return siblings;
}

int cores_by_affinity() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return 0;
  std::set<std::string> cores;
  for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (CPU_ISSET(processor, &allowed)) cores.insert(core_of(processor));
  }
  return static_cast<int>(cores.size());
}

#else

int cores_by_affinity() {
  return 0;
}

#endif

}  // namespace

int available_cores() {
  int cores = cores_by_affinity();
  if (cores == 0) cores = static_cast<int>(std::thread::hardware_concurrency());
  if (const auto quota = control_group_cpu_quota())
    cores = std::min(cores, static_cast<int>(std::ceil(*quota)));
  return std::max(cores, 1);
}

}  // namespace ipai
