// One block of threads: who runs next, who waits where, and what went wrong.
//
// A warp's lanes run one after another, each as far as its next warp-wide function or barrier; warps
// likewise. In the other order, the last lane and warp come first: what depends on the order (a barrier that
// is missing) then differs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "emulation/fiber.h"
#include "runtime/function_ref.h"
#include "runtime/kernel_launch.h"

namespace ipai::cuda::emulation {

enum class Order { kFirstToLast, kLastToFirst };

inline constexpr int kLanes = 32;

// A cp.async that has not arrived yet.
struct PendingCopy {
  void* target;
  const void* source;  // nullptr: zeros
  int group;
};

struct Thread {
  enum class State { kReady, kAtBarrier, kInWarp, kEnded };

  Fiber fiber;
  State state = State::kReady;
  // The function it waits in.
  const char* place = "";
  void* operands = nullptr;
  std::deque<PendingCopy> copies;
  int copy_group = 0;
};

class Block {
 public:
  // Runs one block of the launch after another with the same threads and shared memory.
  Block(const KernelLaunch& launch, Order order);
  ~Block();

  // Why the block did not come to its end, as a sentence; empty when it did.
  std::string run(const GridExtent& index);

  // The block that runs now. What follows is for its threads.
  static Block& current();

  Thread& thread() { return *threads_[running_]; }
  int lane() const { return static_cast<int>(running_ % kLanes); }
  void barrier();
  // Waits until all lanes of the warp have come to the function `name`; the last one calls `perform` with the
  // operands of all.
  void in_warp(const char* name, void* operands, void (*perform)(void* const (&lanes)[kLanes]));
  // Ends the block's run with the sentence that `describe` makes. It is made here because the stacks of
  // threads are dropped as they are: what they own is lost.
  [[noreturn]] void fail(FunctionRef<std::string()> describe);

  std::byte* dynamic_shared() { return shared_; }
  // Fails unless these bytes are the launch's dynamic shared memory, at a multiple of `alignment`.
  void require_dynamic_shared(const void* address, size_t bytes, size_t alignment, const char* function);

 private:
  static void run_thread(void* block);
  bool run_warp(size_t warp);
  bool resume(size_t index);
  size_t in_order(size_t i, size_t count) const;
  std::string deadlock() const;

  const KernelLaunch& launch_;
  const Order order_;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::byte* shared_ = nullptr;
  size_t running_ = 0;
  size_t at_barrier_ = 0;
  std::vector<uint32_t> arrived_;  // by warp: lanes that wait in a function of the warp
  std::string problem_;
};

}  // namespace ipai::cuda::emulation
