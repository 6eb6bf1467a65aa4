// A product of windows and weights on the tensor cores: what linear layers and convolutions record.
#pragma once

#include "cuda/gemm_epilogue.h"
#include "cuda/gemm_sizes.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {

// For Float16 and BFloat16. Takes the scratch memory that the sizes ask for with this plan.
template <class T>
void record_gemm(const GemmSizes& sizes, const GemmPlan& plan, const T* x, const T* weight,
                 const Epilogue<T>& epilogue, CudaEncoder& encoder);

}  // namespace ipai::cuda
