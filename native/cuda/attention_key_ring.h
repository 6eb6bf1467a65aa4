// Keys and values on their way through shared memory.
#pragma once

#include "cuda/attention_rows.h"

namespace ipai::cuda {

// For the threads of a block, or where kThreads are a warp, for one of its warps; kKeys at a time: kStages -
// 1 blocks of keys are on their way while one is in use. All kThreads call all functions. What it keeps is
// little, because the loop around it has few registers to spare.
template <class T, int kHead, int kKeys, int kStages, int kThreads>
class KeyRing {
 public:
  static constexpr int kElements = kStages * 2 * kKeys * kHead;

  // Starts to copy the first `count` keys and values, a group for each block of them.
  __device__ KeyRing(T* memory, const HeadRows<const T>& keys, const HeadRows<const T>& values, int count)
      : memory_(memory), keys_(keys.first), values_(values.first), stride_(keys.stride), left_(count) {
#pragma unroll
    for (int stage = 0; stage < kStages - 1; ++stage) copy_block(stage, count - stage * kKeys);
  }

  // Keys that are still to come.
  __device__ int left() const {
    return left_;
  }

  // The next kKeys keys, followed by their values; zeros beyond the last.
  __device__ const T* next() {
    wait_copies<kStages - 2>();
    // What this thread waited for has come for all, and all are through with the block before, whose place
    // the next copy takes.
    if constexpr (kThreads == kWarpSize) {
      __syncwarp();
    } else {
      __syncthreads();
    }
    copy_block(stage_ == 0 ? kStages - 1 : stage_ - 1, left_ - (kStages - 1) * kKeys);
    left_ -= kKeys;
    const T* const block = memory_ + stage_ * kBlock;
    stage_ = stage_ + 1 == kStages ? 0 : stage_ + 1;
    return block;
  }

 private:
  static constexpr int kBlock = 2 * kKeys * kHead;

  // The next block, of which there are `count` keys or none.
  __device__ void copy_block(int stage, int count) {
    if (count > 0) {
      T* const block = memory_ + stage * kBlock;
      const int thread = static_cast<int>(threadIdx.x) % kThreads;
      const HeadRows<const T> keys = {keys_, stride_, count}, values = {values_, stride_, count};
      copy_rows_async<kHead, kThreads>(block, keys, 0, kKeys, thread);
      copy_rows_async<kHead, kThreads>(block + kKeys * kHead, values, 0, kKeys, thread);
      keys_ += keys.offset(kKeys);
      values_ += keys.offset(kKeys);
    }
    commit_copies();  // an empty group too, so that groups and blocks keep pace
  }

  T* memory_;
  const T* keys_;  // that are not copied yet
  const T* values_;
  int stride_;
  int left_;
  int stage_ = 0;  // that is read next
};

}  // namespace ipai::cuda
