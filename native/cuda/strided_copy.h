// Copies between arrays whose axes have different strides: what concat, slice, transpose and broadcast_to
// are.
#pragma once

#include <cstddef>

#include "runtime/cuda_encoder.h"
#include "runtime/loop_nest.h"

namespace ipai::cuda {

// Of the nest's arrays.
enum CopyArray { kTarget, kSource };

// Strides of `nest` count elements, those of 0 repeat the source. Arrays begin at multiples of the element's
// size.
void record_copy(const char* name, const LoopNest<2>& nest, const void* source, void* target,
                 size_t element_bytes, CudaEncoder& encoder);

}  // namespace ipai::cuda
