// Limits that a container (control group, version 1 or 2) puts on this process.
#pragma once

#include <cstddef>
#include <optional>

namespace ipai {

// How many processors' time the group may use, e.g. 1.5; nothing when it is not limited.
std::optional<double> control_group_cpu_quota();

struct ControlGroupMemory {
  size_t limit_bytes;
  size_t used_bytes;
};

// The group's limit, and what is in use without the file cache that can be dropped.
std::optional<ControlGroupMemory> control_group_memory();

}  // namespace ipai
