// The product of windows and weights in float32, outside of the tensor cores, for linear layers and
// convolutions alike: bound by arithmetic.
//
// A block computes a tile of 64 x 64 in steps of 16 of the depth: while a step, transposed in shared memory,
// is being multiplied, the next one comes to registers, a chunk of a window or of a weight's row per thread.
// Each thread has 4 x 4 of the sums, which in the end take the place of the operands to be finished in whole
// vectors of a row.
#pragma once

#include "cuda/gemm_kernel.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {

// The picture has whole chunks of channels; partial sums are not asked for.
void record_gemm_float32(const GemmOperands<float>& operands, const Epilogue<float>& epilogue,
                         CudaEncoder& encoder);

}  // namespace ipai::cuda
