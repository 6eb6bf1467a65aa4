// Large memory, straight from the system, and given back to it when it is freed, whatever the heap's habits
// are: but for some that is kept for the next call, which with fresh pages would spend a tenth of its time on
// having them zeroed.
#pragma once

#include <cstddef>

namespace ipai {

inline constexpr size_t kHugePage = size_t{2} << 20;
// What is kept at most: the results of a few calls.
inline constexpr size_t kKeptPageBytes = size_t{16} << 20;

// Memory of undefined content. Begins at a multiple of kHugePage and is backed by pages of that size where
// the system has them: a first touch takes 512 times fewer page faults, and products that run through
// gigabytes of weights do not wait for address translation. Null when the system has no more.
std::byte* allocate_pages(size_t bytes);
void free_pages(std::byte* data, size_t bytes);
// Gives what is kept back to the system.
void trim_pages();

}  // namespace ipai
