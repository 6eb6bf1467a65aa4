// The ops of one CPU target, by name.
#pragma once

#include <string>
#include <vector>

#include "runtime/cpu_target.h"
#include "runtime/op.h"

namespace ipai {

class OpRegistry {
 public:
  explicit OpRegistry(CpuTarget target);

  // nullptr when there is no such op.
  const Op* find(const std::string& name) const;
  const std::vector<Op>& ops() const { return ops_; }

 private:
  std::vector<Op> ops_;
};

}  // namespace ipai
