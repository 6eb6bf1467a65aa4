#include "cuda/gemm_float32.h"

#include "cuda/grid.h"

namespace ipai::cuda {
namespace {

struct Float32Tile {
  static constexpr int kRows = 64, kColumns = 64;
  static constexpr int kThreads = 256;
  static constexpr int kSide = 4;  // of a thread's part
  static constexpr int kStepDepth = 16;
  static constexpr int kStepChunks = kStepDepth / kChunk;
  // Of rows in shared memory: multiples of 4 floats, and 8 rows apart another bank.
  static constexpr int kOperandStride = kRows + 4;
  static constexpr int kSumStride = kColumns + 4;
  static constexpr size_t kSharedBytes = kRows * kSumStride * sizeof(float);

  static_assert(kThreads == (kRows / kSide) * (kColumns / kSide), "each thread has a part of the tile");
  static_assert(kThreads == (kRows + kColumns) * kStepChunks, "each thread copies a chunk of a step");
  static_assert(2 * kStepDepth * kOperandStride <= kRows * kSumStride, "operands fit in place of the sums");
};

// A thread's share of the operands: every kStepChunks-th chunk of one row of the windows, or of the weight.
class Float32Loader {
 public:
  __device__ Float32Loader(const GemmOperands<float>& operands, int first_row, int first_column)
      : operands_(operands) {
    using Tile = Float32Tile;
    const int line = static_cast<int>(threadIdx.x) % (Tile::kRows + Tile::kColumns);
    chunk_ = static_cast<int>(threadIdx.x) / (Tile::kRows + Tile::kColumns);
    is_window_ = line < Tile::kRows;
    const int place = is_window_ ? line : line - Tile::kRows;
    column_ = first_column + place;
    if (is_window_) window_ = window_of(operands.windows, first_row + place);
    // Windows [depth, rows] are followed by weights [depth, columns].
    target_ = (is_window_ ? 0 : Tile::kStepDepth * Tile::kOperandStride) +
              chunk_ * kChunk * Tile::kOperandStride + place;
  }

  // The present step's chunk, zeros where there is none; then goes on to the next step.
  __device__ void load(float (&lanes)[kChunk]) {
    const float* const source = is_window_ ? window_chunk() : weight_chunk();
    chunk_ += Float32Tile::kStepChunks;
    if (source != nullptr) return load_lanes(source, lanes);
#pragma unroll
    for (float& lane : lanes) lane = 0;
  }

  __device__ void store(float* shared, const float (&lanes)[kChunk]) const {
#pragma unroll
    for (int i = 0; i < kChunk; ++i) shared[target_ + i * Float32Tile::kOperandStride] = lanes[i];
  }

 private:
  __device__ const float* window_chunk() const {
    const WindowRows& rows = operands_.windows;
    const int tap = chunk_ / rows.pixel_chunks;
    const int tap_y = tap / rows.kernel_width;
    const int pixel = pixel_under(rows, window_, tap_y, tap - tap_y * rows.kernel_width);
    if (pixel < 0) return nullptr;
    return operands_.picture + static_cast<int64_t>(pixel + chunk_ - tap * rows.pixel_chunks) * kChunk;
  }
  __device__ const float* weight_chunk() const {
    const int chunks = operands_.windows.depth_chunks();
    if (column_ >= operands_.columns || chunk_ >= chunks) return nullptr;
    return operands_.weight + (static_cast<int64_t>(column_) * chunks + chunk_) * kChunk;
  }

  const GemmOperands<float>& operands_;
  bool is_window_;
  Window window_ = {};
  int column_;
  int chunk_;
  int target_;
};

__global__ void __launch_bounds__(Float32Tile::kThreads)
    gemm_float32(const GemmOperands<float> operands, const Epilogue<float> epilogue) {
  using Tile = Float32Tile;
  constexpr int kSide = Tile::kSide;
  auto* const shared = reinterpret_cast<float*>(dynamic_shared());
  const int tiles_across = (operands.columns + Tile::kColumns - 1) / Tile::kColumns;
  const int tile_row = static_cast<int>(blockIdx.x) / tiles_across;
  const int first_row = tile_row * Tile::kRows;
  const int first_column = (static_cast<int>(blockIdx.x) - tile_row * tiles_across) * Tile::kColumns;
  const int row = static_cast<int>(threadIdx.x) / (Tile::kColumns / kSide) * kSide;
  const int column = static_cast<int>(threadIdx.x) % (Tile::kColumns / kSide) * kSide;

  Float32Loader loader(operands, first_row, first_column);
  float lanes[kChunk];
  loader.load(lanes);
  float sums[kSide][kSide] = {};
  const int steps = (operands.windows.depth_chunks() + Tile::kStepChunks - 1) / Tile::kStepChunks;
  for (int step = 0; step < steps; ++step) {
    loader.store(shared, lanes);
    __syncthreads();  // the step has come for all threads
    if (step + 1 < steps) loader.load(lanes);
#pragma unroll
    for (int k = 0; k < Tile::kStepDepth; ++k) {
      float windows[kSide], weights[kSide];
      load_lanes(shared + k * Tile::kOperandStride + row, windows);
      load_lanes(shared + (Tile::kStepDepth + k) * Tile::kOperandStride + column, weights);
#pragma unroll
      for (int i = 0; i < kSide; ++i) {
#pragma unroll
        for (int j = 0; j < kSide; ++j) sums[i][j] = fmaf(windows[i], weights[j], sums[i][j]);
      }
    }
    __syncthreads();  // all threads are through with the step
  }
#pragma unroll
  for (int i = 0; i < kSide; ++i) store_lanes(shared + (row + i) * Tile::kSumStride + column, sums[i]);
  finish_tile<float, Tile>(operands, epilogue, shared, first_row, first_column);
}

}  // namespace

void record_gemm_float32(const GemmOperands<float>& operands, const Epilogue<float>& epilogue,
                         CudaEncoder& encoder) {
  using Tile = Float32Tile;
  const int64_t tiles =
      ceil_divide(operands.windows.count, Tile::kRows) * ceil_divide(operands.columns, Tile::kColumns);
  encoder.launch("gemm_float32", gemm_float32, {blocks_for(tiles, 1), Tile::kThreads, Tile::kSharedBytes},
                 operands, epilogue);
}

}  // namespace ipai::cuda
