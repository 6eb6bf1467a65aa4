// Errors on their way over the border.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>

#include "runtime/cuda_interface.h"
#include "runtime/status.h"

namespace ipai::cuda {

// A sentence that is too long is cut.
inline CudaStatus to_status(ErrorCode code, const std::string& message) {
  CudaStatus status;
  status.code = static_cast<uint8_t>(code);
  std::memcpy(status.message, message.data(), std::min(message.size(), sizeof(status.message) - 1));
  return status;
}

}  // namespace ipai::cuda
