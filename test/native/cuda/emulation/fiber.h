// Fibers: functions with stacks of their own that run in turn on one system thread. Each thread of an
// emulated block is one.
#pragma once

#include <cstddef>

namespace ipai::cuda::emulation {

class Fiber {
 public:
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  Fiber();
  ~Fiber();

  // Prepares a call of `body(argument)`, which begins at the next resume(). Whatever the fiber ran before is
  // dropped.
  void start(void (*body)(void*), void* argument);
  // Runs the fiber until it yields or ends. Not from within a fiber.
  void resume();
  bool ended() const { return ended_; }
  // Goes back to where the running fiber was resumed.
  void yield();

 private:
  static void enter(Fiber* fiber);

  std::byte* stack_;
  void (*body_)(void*) = nullptr;
  void* argument_ = nullptr;
  bool ended_ = true;
  // Where each side goes on: a stack pointer with the registers saved above it.
  void* fiber_context_ = nullptr;
  void* caller_context_ = nullptr;
  // What AddressSanitizer keeps for each side.
  void* caller_fake_stack_ = nullptr;
  const void* caller_stack_ = nullptr;
  size_t caller_stack_bytes_ = 0;
  void* fiber_fake_stack_ = nullptr;
};

}  // namespace ipai::cuda::emulation
