#include "runtime/control_group.h"

#include <fstream>
#include <string>
#include <vector>

namespace ipai {
namespace {

const char* const kRoot = "/sys/fs/cgroup";

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::optional<double> to_number(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (end == text.c_str()) return std::nullopt;
  return value;
}

// Value of `key` in a file of "key value" lines; 0 when it has none.
double keyed_value(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  std::string name;
  double value = 0;
  while (file >> name >> value) {
    if (name == key) return value;
  }
  return 0;
}

// Folders of this process's group and of those around it, innermost first: /proc/self/cgroup has lines
// "id:controllers:path", with no controllers in version 2. Inside a container the path may lie outside what
// is mounted; then only the root remains.
std::vector<std::string> group_folders(const std::string& controller) {
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  std::string path = "/";
  while (std::getline(file, line)) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool matches = controller.empty() ? controllers == ",,"
                                            : controllers.find("," + controller + ",") != std::string::npos;
    if (matches) path = line.substr(second + 1);
  }
  const std::string root = controller.empty() ? kRoot : std::string(kRoot) + "/" + controller;
  std::vector<std::string> folders;
  while (path.size() > 1) {
    folders.push_back(root + path);
    path.erase(path.rfind('/'));
  }
  folders.push_back(root);
  return folders;
}

}  // namespace

std::optional<double> control_group_cpu_quota() {
  std::optional<double> least;
  const auto consider = [&](std::optional<double> quota, std::optional<double> period) {
    if (!quota || !period || *quota <= 0 || *period <= 0) return;
    if (!least || *quota / *period < *least) least = *quota / *period;
  };
  for (const std::string& folder : group_folders("")) {
    const std::string line = first_line(folder + "/cpu.max");  // "100000 100000" or "max 100000"
    const size_t space = line.find(' ');
    if (space != std::string::npos) consider(to_number(line.substr(0, space)), to_number(line.substr(space)));
  }
  for (const std::string& folder : group_folders("cpu")) {
    consider(to_number(first_line(folder + "/cpu.cfs_quota_us")),
             to_number(first_line(folder + "/cpu.cfs_period_us")));
  }
  return least;
}

std::optional<ControlGroupMemory> control_group_memory() {
  std::optional<ControlGroupMemory> tightest;
  // Unlimited is "max" in version 2 and a number near 2^63 in version 1.
  constexpr double kUnlimited = 1e18;
  const auto consider = [&](const std::string& folder, const char* limit_file, const char* used_file,
                            const char* cache) {
    const auto limit = to_number(first_line(folder + limit_file));
    const auto used = to_number(first_line(folder + used_file));
    if (!limit || !used || *limit >= kUnlimited) return;
    const double droppable = keyed_value(folder + "/memory.stat", cache);
    const auto in_use = static_cast<size_t>(*used > droppable ? *used - droppable : 0);
    const auto bytes = static_cast<size_t>(*limit);
    if (!tightest || bytes < tightest->limit_bytes) tightest = ControlGroupMemory{bytes, in_use};
  };
  for (const std::string& folder : group_folders("")) {
    consider(folder, "/memory.max", "/memory.current", "inactive_file");
  }
  for (const std::string& folder : group_folders("memory")) {
    consider(folder, "/memory.limit_in_bytes", "/memory.usage_in_bytes", "total_inactive_file");
  }
  return tightest;
}

}  // namespace ipai
