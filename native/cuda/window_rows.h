// The left operand of a product, read straight from a picture: row m is the window under output pixel m, its
// depth runs over (tap_y, tap_x, channel). Nothing but the tiles in shared memory ever exists. A dense matrix
// is a batch of pictures of one pixel under windows of one tap.
//
// Everything is counted in chunks of 8 elements, 16 bytes, each of which belongs to one pixel: pictures have
// channels in multiples of 8 (pad_channels.h). Depth is taken in steps of 8 chunks; a thread copies the same
// chunk of the step for several rows, so that it follows one tap and one channel.
#pragma once

#include "cuda/async_copy.h"
#include "cuda/shared_tile.h"
#include "runtime/conv_geometry.h"

namespace ipai::cuda {

inline constexpr int kChunk = 8;
inline constexpr int kStepChunks = 8;
inline constexpr int kStepDepth = kStepChunks * kChunk;

// What the extents of the view, its borders and the kernel must stay below, so that places fit 16 bits.
inline constexpr int64_t kLargestPlace = 32767;

struct WindowRows {
  int count;
  int pixel_chunks;
  int height, width;
  int view_height, view_width;
  int kernel_height, kernel_width;
  int stride, top, left;
  int out_height, out_width;

  __device__ int depth_chunks() const { return kernel_height * kernel_width * pixel_chunks; }
};

// Where a window begins: its sample's first chunk, and the pixel of the view under its first tap.
struct alignas(8) Window {
  int sample_chunk;
  int16_t y, x;
};

// Rows beyond the last are windows that lie above any picture.
__device__ inline Window window_of(const WindowRows& rows, int row) {
  if (row >= rows.count) return {0, -kLargestPlace - 1, 0};
  const int line = row / rows.out_width;
  const int sample = line / rows.out_height;
  return {sample * (rows.height * rows.width * rows.pixel_chunks),
          static_cast<int16_t>((line - sample * rows.out_height) * rows.stride - rows.top),
          static_cast<int16_t>((row - line * rows.out_width) * rows.stride - rows.left)};
}

// The first chunk of the pixel under a tap; -1 where there is none.
__device__ inline int pixel_under(const WindowRows& rows, Window window, int tap_y, int tap_x) {
  int y = window.y + tap_y;
  int x = window.x + tap_x;
  if (tap_y >= rows.kernel_height || y < 0 || y >= rows.view_height || x < 0 || x >= rows.view_width)
    return -1;
  if (rows.view_height != rows.height) y = y * rows.height / rows.view_height;
  if (rows.view_width != rows.width) x = x * rows.width / rows.view_width;
  return window.sample_chunk + (y * rows.width + x) * rows.pixel_chunks;
}

// Copies the tiles [kRows, kStepDepth] of successive steps, a share of each per thread.
template <class T, int kRows, int kThreads>
class WindowLoader {
 public:
  // `windows` are those of the tile's rows, in shared memory.
  __device__ WindowLoader(const WindowRows& rows, const T* picture, const Window* windows, int first_step)
      : rows_(rows), picture_(picture), windows_(windows + threadIdx.x / kStepChunks) {
    const int chunk = first_step * kStepChunks + static_cast<int>(threadIdx.x % kStepChunks);
    const int tap = chunk / rows.pixel_chunks;
    channel_ = chunk - tap * rows.pixel_chunks;
    tap_y_ = tap / rows.kernel_width;
    tap_x_ = tap - tap_y_ * rows.kernel_width;
    find_pixels();
  }

  // Of the present step, into a tile; zeros where it is not `wanted`.
  __device__ void load(T* tile, bool wanted) const {
    // Rows of one thread differ by multiples of 8, and are swizzled alike.
    T* const target =
        tile + SharedTile<T, kRows, kStepDepth>::chunk(threadIdx.x / kStepChunks, threadIdx.x % kStepChunks);
#pragma unroll
    for (int i = 0; i < kCopies; ++i) {
      const T* const source = picture_ + static_cast<int64_t>(pixels_[i] + channel_) * kChunk;
      copy_async(target + i * kRowsBetween * kStepDepth, source, wanted && pixels_[i] >= 0);
    }
  }

  __device__ void advance() {
    channel_ += kStepChunks;
    if (channel_ < rows_.pixel_chunks) return;
    do {
      channel_ -= rows_.pixel_chunks;
      if (++tap_x_ == rows_.kernel_width) {
        tap_x_ = 0;
        ++tap_y_;
      }
    } while (channel_ >= rows_.pixel_chunks);
    find_pixels();
  }

 private:
  static constexpr int kRowsBetween = kThreads / kStepChunks;
  static constexpr int kCopies = kRows / kRowsBetween;
  static_assert(kRowsBetween % 8 == 0 && kRows % kRowsBetween == 0, "all threads copy equally many rows");

  __device__ void find_pixels() {
#pragma unroll
    for (int i = 0; i < kCopies; ++i) {
      pixels_[i] = pixel_under(rows_, windows_[i * kRowsBetween], tap_y_, tap_x_);
    }
  }

  const WindowRows& rows_;
  const T* picture_;
  const Window* windows_;
  int channel_, tap_y_, tap_x_;
  int pixels_[kCopies];
};

// Of a convolution over a picture whose channels were padded to whole chunks.
inline WindowRows window_rows(const ConvGeometry& g) {
  const auto narrow = [](int64_t value) { return static_cast<int>(value); };
  return {narrow(g.rows()),        narrow((g.channels + kChunk - 1) / kChunk),
          narrow(g.height),        narrow(g.width),
          narrow(g.view_height),   narrow(g.view_width),
          narrow(g.kernel_height), narrow(g.kernel_width),
          narrow(g.stride),        narrow(g.top),
          narrow(g.left),          narrow(g.out_height),
          narrow(g.out_width)};
}

}  // namespace ipai::cuda
