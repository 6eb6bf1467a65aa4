// Memory straight from the system, and straight back to it. malloc may keep what is freed, glibc blocks of up
// to 32 MiB; a model's weights and activations are freed by the gigabyte, and the next model's need the room.
#pragma once

#include <cstddef>

namespace ipai {

// Zeroed, at the start of a page; nullptr where there is no memory. `bytes` must not be 0.
std::byte* map_memory(size_t bytes);
void unmap_memory(std::byte* data, size_t bytes);

}  // namespace ipai
