#include "emulation/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace ipai::cuda::emulation {
namespace {

constexpr size_t kStackBytes = 128 * 1024;

// Stacks of fibers that are gone, for those to come.
std::vector<std::byte*> free_stacks;

// Below each stack lies a page that cannot be touched, so that an overflow is seen.
std::byte* take_stack() {
  if (!free_stacks.empty()) {
    std::byte* const stack = free_stacks.back();
    free_stacks.pop_back();
    return stack;
  }
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* const memory = mmap(nullptr, page + kStackBytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, page, PROT_NONE) != 0) {
    std::perror("emulation: a stack for a fiber");
    std::exit(1);
  }
  return static_cast<std::byte*>(memory) + page;
}

}  // namespace

#if defined(__x86_64__)

// ipai_switch_context(void** from, void* to): saves what the calling convention lets a caller expect, notes
// the stack pointer in *from, and takes up what was saved at `to`.
asm(R"(
.text
.type ipai_switch_context, @function
ipai_switch_context:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size ipai_switch_context, .-ipai_switch_context

.type ipai_enter_context, @function
ipai_enter_context:
  movq %r12, %rdi
  callq *%r13
  ud2
.size ipai_enter_context, .-ipai_enter_context
)");
extern "C" void ipai_switch_context(void** from, void* to);
extern "C" void ipai_enter_context();

namespace {

// A context that calls entry(argument) when it is switched to. The stack is aligned to 16 bytes at the call.
void* make_context(std::byte* stack, void (*entry)(Fiber*), Fiber* argument) {
  auto* top = reinterpret_cast<uintptr_t*>(stack + kStackBytes) - 9;
  top[0] = 0;                                      // r15
  top[1] = 0;                                      // r14
  top[2] = reinterpret_cast<uintptr_t>(entry);     // r13
  top[3] = reinterpret_cast<uintptr_t>(argument);  // r12
  top[4] = 0;                                      // rbx
  top[5] = 0;                                      // rbp
  top[6] = reinterpret_cast<uintptr_t>(ipai_enter_context);
  return top;
}
void free_context(void*) {}
void switch_context(void*& from, void* to) {
  ipai_switch_context(&from, to);
}

}  // namespace

#else

namespace {

void* make_context(std::byte* stack, void (*entry)(Fiber*), Fiber* argument) {
  auto* const context = new ucontext_t;
  getcontext(context);
  context->uc_stack.ss_sp = stack;
  context->uc_stack.ss_size = kStackBytes;
  context->uc_link = nullptr;
  const auto low = [](auto pointer) { return static_cast<unsigned>(reinterpret_cast<uintptr_t>(pointer)); };
  const auto high = [](auto pointer) {
    return static_cast<unsigned>(reinterpret_cast<uintptr_t>(pointer) >> 32);
  };
  // makecontext passes ints only.
  void (*const call)(unsigned, unsigned, unsigned, unsigned) = [](unsigned e0, unsigned e1, unsigned a0,
                                                                  unsigned a1) {
    reinterpret_cast<void (*)(Fiber*)>(uint64_t{e1} << 32 |
                                       e0)(reinterpret_cast<Fiber*>(uint64_t{a1} << 32 | a0));
  };
  makecontext(context, reinterpret_cast<void (*)()>(call), 4, low(entry), high(entry), low(argument),
              high(argument));
  return context;
}
void free_context(void* context) {
  delete static_cast<ucontext_t*>(context);
}
void switch_context(void*& from, void* to) {
  if (from == nullptr) from = new ucontext_t;
  swapcontext(static_cast<ucontext_t*>(from), static_cast<ucontext_t*>(to));
}

}  // namespace

#endif

Fiber::Fiber() : stack_(take_stack()) {}

Fiber::~Fiber() {
  free_context(fiber_context_);
  free_context(caller_context_);
  free_stacks.push_back(stack_);
}

void Fiber::start(void (*body)(void*), void* argument) {
  body_ = body;
  argument_ = argument;
  ended_ = false;
  free_context(std::exchange(fiber_context_, nullptr));
#if defined(__SANITIZE_ADDRESS__)
  // Frames that were dropped have left their red zones.
  __asan_unpoison_memory_region(stack_, kStackBytes);
  fiber_fake_stack_ = nullptr;
#endif
  fiber_context_ = make_context(stack_, enter, this);
}

void Fiber::enter(Fiber* fiber) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &fiber->caller_stack_, &fiber->caller_stack_bytes_);
#endif
  fiber->body_(fiber->argument_);
  fiber->ended_ = true;
  fiber->yield();
}

void Fiber::resume() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&caller_fake_stack_, stack_, kStackBytes);
#endif
  switch_context(caller_context_, fiber_context_);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(caller_fake_stack_, nullptr, nullptr);
#endif
}

void Fiber::yield() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&fiber_fake_stack_, caller_stack_, caller_stack_bytes_);
#endif
  switch_context(fiber_context_, caller_context_);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fiber_fake_stack_, &caller_stack_, &caller_stack_bytes_);
#endif
}

}  // namespace ipai::cuda::emulation
