#include "device/settings.h"

#include <cstdlib>
#include <sstream>

namespace ipai::cuda::emulation {

Settings settings() {
  Settings result;
  const char* const text = std::getenv("IPAI_EMULATED_CUDA");
  std::istringstream list(text != nullptr ? text : "");
  std::string item;
  while (std::getline(list, item, ',')) {
    const size_t equals = item.find('=');
    const std::string name = item.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : item.substr(equals + 1);
    if (name == "driver") result.driver = std::atoi(value.c_str());
    if (name == "devices") result.devices = std::atoi(value.c_str());
    if (name == "capability") result.capability = std::atoi(value.c_str());
    if (name == "memory") result.memory = static_cast<size_t>(std::atoi(value.c_str()));
    if (name == "fail") result.fail = value;
  }
  return result;
}

}  // namespace ipai::cuda::emulation
