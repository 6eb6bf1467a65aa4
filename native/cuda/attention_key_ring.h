// Keys and values on their way through shared memory.
#pragma once

#include "cuda/attention_rows.h"
#include "cuda/wgmma.h"

namespace ipai::cuda {

// For the threads of a block, or where kThreads are a warp, for one of its warps; kKeys at a time. All
// kThreads call all functions, and so do the threads before kFirstThread, which have no part in the copying.
// Of kStages blocks of keys one is in use, and for warpgroups, whose products may go on when the next block
// is asked for, also the one before it; the others are on their way. What the ring keeps is little, because
// the loop around it has few registers to spare.
template <class T, int kHead, int kKeys, int kStages, int kThreads, class Layout = HeadTile<T, kHead>,
          int kFirstThread = 0>
class KeyRing {
 public:
  static constexpr bool kForGroups = !std::is_same_v<Layout, HeadTile<T, kHead>>;
  static constexpr int kAhead = kStages - (kForGroups ? 2 : 1);
  // Of keys, and of the values that follow them.
  static constexpr int kTokenElements = kKeys * Layout::kColumns;
  static constexpr int kBlock = 2 * kTokenElements;
  static constexpr int kElements = kStages * kBlock;

  // Starts to copy the first `count` keys and values, a group for each block of them.
  __device__ KeyRing(T* memory, const HeadRows<const T>& keys, const HeadRows<const T>& values, int count)
      : memory_(memory), keys_(keys.first), values_(values.first), stride_(keys.stride), left_(count) {
#pragma unroll
    for (int stage = 0; stage < kAhead; ++stage) copy_block(stage, count - stage * kKeys);
  }

  // Keys that are still to come.
  __device__ int left() const {
    return left_;
  }

  // The next kKeys keys, followed by their values; zeros beyond the last.
  __device__ const T* next() {
    if (copies()) {
      wait_copies<kAhead - 1>();
      if constexpr (kForGroups) show_to_group_products();
    }
    // What this thread waited for has come for all, and all are through with the block whose place the next
    // copy takes.
    if constexpr (kThreads == kWarpSize) {
      __syncwarp();
    } else {
      __syncthreads();
    }
    copy_block(stage_ + kAhead < kStages ? stage_ + kAhead : stage_ + kAhead - kStages,
               left_ - kAhead * kKeys);
    left_ -= kKeys;
    const T* const block = memory_ + stage_ * kBlock;
    stage_ = stage_ + 1 == kStages ? 0 : stage_ + 1;
    return block;
  }

 private:
  static_assert(kAhead > 0, "a block is on its way while another is in use");

  __device__ static bool copies() {
    return kFirstThread == 0 || static_cast<int>(threadIdx.x) >= kFirstThread;
  }

  // The next block, of which there are `count` keys or none.
  __device__ void copy_block(int stage, int count) {
    if (copies() && count > 0) {
      T* const block = memory_ + stage * kBlock;
      const int thread = (static_cast<int>(threadIdx.x) - kFirstThread) % kThreads;
      const HeadRows<const T> keys = {keys_, stride_, count}, values = {values_, stride_, count};
      copy_rows_into<Layout, kThreads>(block, keys, 0, kKeys, thread);
      copy_rows_into<Layout, kThreads>(block + kTokenElements, values, 0, kKeys, thread);
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
