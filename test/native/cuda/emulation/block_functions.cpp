// What device code calls, in terms of the running block.
#include <cstring>

#include "emulation/async_copy.h"
#include "emulation/block.h"
#include "emulation/matrix.h"
#include "emulation/memory.h"
#include "emulation/warp.h"

namespace ipai::cuda::emulation {
namespace {

void require_whole_warp(const char* name, uint32_t mask) {
  if (mask != 0xffffffff)
    Block::current().fail([&] { return std::string(name) + ": only whole warps are emulated"; });
}

}  // namespace

std::byte* dynamic_shared() {
  return Block::current().dynamic_shared();
}

void require_aligned(const void* address, const char* function) {
  if (reinterpret_cast<uintptr_t>(address) % 16 == 0) return;
  Block::current().fail(
      [&] { return std::string(function) + ": expected an address that is a multiple of 16"; });
}

void sync_threads() {
  Block::current().barrier();
}

int lane() {
  return Block::current().lane();
}

void sync_warp(uint32_t mask) {
  require_whole_warp("__syncwarp", mask);
  Block::current().in_warp("__syncwarp", nullptr, [](void* const(&)[kLanes]) {});
}

uint32_t shuffle(const char* name, uint32_t mask, uint32_t value, int source) {
  struct Operands {
    uint32_t value;
    int source;
    uint32_t result;
  };
  require_whole_warp(name, mask);
  Operands own{value, source, 0};
  Block::current().in_warp(name, &own, [](void* const(&lanes)[kLanes]) {
    for (void* const lane : lanes) {
      auto* const operands = static_cast<Operands*>(lane);
      operands->result = static_cast<Operands*>(lanes[operands->source & (kLanes - 1)])->value;
    }
  });
  return own.result;
}

uint32_t ballot(const char* name, uint32_t mask, bool predicate) {
  require_whole_warp(name, mask);
  uint32_t own = predicate ? 1 : 0;
  Block::current().in_warp(name, &own, [](void* const(&lanes)[kLanes]) {
    uint32_t bits = 0;
    for (int i = 0; i < kLanes; ++i) bits |= *static_cast<uint32_t*>(lanes[i]) << i;
    for (void* const lane : lanes) *static_cast<uint32_t*>(lane) = bits;
  });
  return own;
}

void copy_async(void* target, const void* source, bool valid) {
  Block& block = Block::current();
  block.require_dynamic_shared(target, 16, 16, "copy_async");
  if (valid) require_aligned(source, "copy_async");
  // From now on the copy may arrive at any time: nobody can count on what was there, or on what will be.
  std::memset(target, 0xff, 16);
  Thread& thread = block.thread();
  thread.copies.push_back({target, valid ? source : nullptr, thread.copy_group});
}

void commit_copies() {
  ++Block::current().thread().copy_group;
}

void wait_copies(int pending) {
  Thread& thread = Block::current().thread();
  while (!thread.copies.empty() && thread.copies.front().group < thread.copy_group - pending) {
    const PendingCopy copy = thread.copies.front();
    thread.copies.pop_front();
    if (copy.source == nullptr) {
      std::memset(copy.target, 0, 16);
    } else {
      std::memcpy(copy.target, copy.source, 16);
    }
  }
}

}  // namespace ipai::cuda::emulation
