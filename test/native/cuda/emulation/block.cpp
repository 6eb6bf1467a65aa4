#include "emulation/block.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "emulation/platform.h"

namespace ipai::cuda::emulation {
namespace {

Block* current_block = nullptr;

constexpr size_t kSharedAlignment = 128;
// Not-a-numbers in each of the element types.
constexpr int kGarbage = 0xff;

std::string name_of(size_t thread) {
  return "thread " + std::to_string(thread) + " (warp " + std::to_string(thread / kLanes) + ", lane " +
         std::to_string(thread % kLanes) + ")";
}

}  // namespace

Block::Block(const KernelLaunch& launch, Order order)
    : launch_(launch), order_(order), arrived_(launch.shape.threads / kLanes) {
  for (uint32_t i = 0; i < launch.shape.threads; ++i) threads_.push_back(std::make_unique<Thread>());
  // Exactly as large as asked for, so that AddressSanitizer sees steps beyond it.
  void* memory = nullptr;
  if (launch.shape.dynamic_shared_bytes > 0 &&
      posix_memalign(&memory, kSharedAlignment, launch.shape.dynamic_shared_bytes) != 0) {
    std::abort();
  }
  shared_ = static_cast<std::byte*>(memory);
}

Block::~Block() {
  std::free(shared_);
}

Block& Block::current() {
  return *current_block;
}

std::string Block::run(const GridExtent& index) {
  current_block = this;
  ::blockIdx = {index.x, index.y, index.z};
  ::blockDim = {launch_.shape.threads, 1, 1};
  ::gridDim = {launch_.shape.grid.x, launch_.shape.grid.y, launch_.shape.grid.z};
  if (shared_ != nullptr) std::memset(shared_, kGarbage, launch_.shape.dynamic_shared_bytes);
  problem_.clear();
  at_barrier_ = 0;
  std::fill(arrived_.begin(), arrived_.end(), 0);
  for (const auto& thread : threads_) {
    thread->state = Thread::State::kReady;
    thread->copies.clear();
    thread->copy_group = 0;
    thread->fiber.start(run_thread, this);
  }
  const auto has_ended = [](const auto& thread) { return thread->state == Thread::State::kEnded; };
  while (problem_.empty() && !std::all_of(threads_.begin(), threads_.end(), has_ended)) {
    bool progress = false;
    for (size_t i = 0; i < arrived_.size() && problem_.empty(); ++i) {
      progress = run_warp(in_order(i, arrived_.size())) || progress;
    }
    if (!progress) problem_ = deadlock();
  }
  current_block = nullptr;
  return std::move(problem_);
}

size_t Block::in_order(size_t i, size_t count) const {
  return order_ == Order::kFirstToLast ? i : count - 1 - i;
}

// Until none of its lanes can go on; whether any could.
bool Block::run_warp(size_t warp) {
  bool any = false;
  for (bool progress = true; progress && problem_.empty();) {
    progress = false;
    for (size_t i = 0; i < kLanes && problem_.empty(); ++i) {
      progress = resume(warp * kLanes + in_order(i, kLanes)) || progress;
    }
    any = any || progress;
  }
  return any;
}

bool Block::resume(size_t index) {
  Thread& thread = *threads_[index];
  if (thread.state != Thread::State::kReady) return false;
  running_ = index;
  ::threadIdx = {static_cast<unsigned>(index), 0, 0};
  thread.fiber.resume();
  if (thread.fiber.ended()) thread.state = Thread::State::kEnded;
  return true;
}

void Block::run_thread(void* block) {
  const KernelLaunch& launch = static_cast<Block*>(block)->launch_;
  launch.call_on_host(launch);
}

void Block::barrier() {
  if (++at_barrier_ < threads_.size()) {
    thread().state = Thread::State::kAtBarrier;
    thread().place = "__syncthreads";
    return thread().fiber.yield();
  }
  at_barrier_ = 0;
  for (const auto& other : threads_) {
    if (other->state == Thread::State::kAtBarrier) other->state = Thread::State::kReady;
  }
}

void Block::in_warp(const char* name, void* operands, void (*perform)(void* const (&lanes)[kLanes])) {
  const size_t first = running_ - running_ % kLanes;
  uint32_t& arrived = arrived_[running_ / kLanes];
  for (size_t i = 0; i < kLanes; ++i) {
    const Thread& other = *threads_[first + i];
    if ((arrived >> i & 1) != 0 && std::strcmp(other.place, name) != 0) {
      fail([&] {
        return name_of(running_) + " is in " + name + " while " + name_of(first + i) + " is in " +
               other.place;
      });
    }
  }
  thread().place = name;
  thread().operands = operands;
  arrived |= 1u << running_ % kLanes;
  if (arrived != 0xffffffff) {
    thread().state = Thread::State::kInWarp;
    return thread().fiber.yield();
  }
  void* lanes[kLanes];
  for (size_t i = 0; i < kLanes; ++i) lanes[i] = threads_[first + i]->operands;
  perform(lanes);
  arrived = 0;
  for (size_t i = 0; i < kLanes; ++i) threads_[first + i]->state = Thread::State::kReady;
}

void Block::fail(FunctionRef<std::string()> describe) {
  problem_ = describe();
  for (;;) thread().fiber.yield();
}

std::string Block::deadlock() const {
  std::string text = "no thread can go on";
  const Thread* last = nullptr;
  for (size_t i = 0; i < threads_.size(); ++i) {
    const Thread& thread = *threads_[i];
    if (last != nullptr && last->state == thread.state && std::strcmp(last->place, thread.place) == 0)
      continue;
    const bool ended = thread.state == Thread::State::kEnded;
    text += "; from " + name_of(i) +
            (ended ? " on they have ended" : std::string(" on they wait in ") + thread.place);
    last = &thread;
  }
  return text;
}

void Block::require_dynamic_shared(const void* address, size_t bytes, size_t alignment,
                                   const char* function) {
  const auto offset = reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(shared_);
  if (offset % alignment == 0 && offset + bytes <= launch_.shape.dynamic_shared_bytes) return;
  fail([&] {
    return std::string(function) + ": expected an address in the " +
           std::to_string(launch_.shape.dynamic_shared_bytes) +
           " bytes of dynamic shared memory, a multiple of " + std::to_string(alignment) + "; " +
           name_of(running_) + " gave offset " + std::to_string(static_cast<int64_t>(offset));
  });
}

}  // namespace ipai::cuda::emulation
