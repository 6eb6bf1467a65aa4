// A product of windows and weights: what linear layers and convolutions record. Float16 and BFloat16 are
// multiplied on the tensor cores (gemm_kernel.h), which would round float32; it has a kernel of its own
// (gemm_float32.h).
#pragma once

#include "cuda/gemm_epilogue.h"
#include "cuda/gemm_sizes.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {

// Takes the scratch memory that the sizes ask for with this plan.
template <class T>
void record_gemm(const GemmSizes& sizes, const GemmPlan& plan, const T* x, const T* weight,
                 const Epilogue<T>& epilogue, CudaEncoder& encoder);

}  // namespace ipai::cuda
