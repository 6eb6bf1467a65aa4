// Rows of a table by indices that are data: an index outside gives a row of NaN. Bound by memory.
#pragma once

#include "cuda/grid_loop.h"
#include "cuda/lanes.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {

// Row r of the result is row r · block_rows + indices[r] of the table, the index being one of [0, limit).
struct RowGather {
  const int32_t* indices;
  int64_t count;
  int64_t limit;
  int64_t block_rows;
  int64_t channels;
};

// A thread takes kCount neighbouring elements of a row.
template <class From, class To, int kCount>
__global__ void __launch_bounds__(kLoopThreads, kLoopBlocks)
    gather_rows(const RowGather gather, const From* table, To* rows) {
  const int64_t parts = gather.channels / kCount;
  grid_loop(gather.count * parts, [&](int64_t i) {
    const int64_t row = i / parts;
    const int64_t channel = (i - row * parts) * kCount;
    const int64_t index = gather.indices[row];
    float lanes[kCount];
    if (index >= 0 && index < gather.limit) {
      load_lanes(table + (row * gather.block_rows + index) * gather.channels + channel, lanes);
    } else {
#pragma unroll
      for (int j = 0; j < kCount; ++j) lanes[j] = NAN;
    }
    store_lanes(rows + row * gather.channels + channel, lanes);
  });
}

template <class From, class To>
void record_gather_rows(const char* name, const RowGather& gather, const From* table, To* rows,
                        CudaEncoder& encoder) {
  constexpr int kVector = 8;  // whole vectors of every element
  const int64_t elements = gather.count * gather.channels;
  if (gather.channels % kVector == 0) {
    encoder.launch(name, gather_rows<From, To, kVector>, loop_shape(elements / kVector, encoder.device()),
                   gather, table, rows);
  } else {
    encoder.launch(name, gather_rows<From, To, 1>, loop_shape(elements, encoder.device()), gather, table,
                   rows);
  }
}

}  // namespace ipai::cuda
