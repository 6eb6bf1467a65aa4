// Which of the algorithms for convolutions there are on CUDA.
#pragma once

#include <string>

#include "runtime/attributes.h"

namespace ipai::cuda {

// Why CUDA has no such algorithm, as a sentence; empty when it has.
inline std::string check_direct(ConvAlgorithm algorithm) {
  if (algorithm == ConvAlgorithm::kDirect) return {};
  return std::string("algorithm: expected direct, the one on CUDA; got ") +
         kConvAlgorithmNames[static_cast<int>(algorithm)];
}

}  // namespace ipai::cuda
