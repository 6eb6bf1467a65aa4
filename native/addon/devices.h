// Devices as JavaScript names them.
#pragma once

#include <napi.h>

#include <string>

#include "runtime/compute_device.h"

namespace ipai::addon {

// The processor when the value is undefined.
ComputeDevice& to_device(Napi::Value value, const std::string& name);

}  // namespace ipai::addon
