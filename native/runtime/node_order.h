// Which nodes of a program have to wait for which, by the memory that they read and write. All others may run
// beside each other.
#pragma once

#include <cstdint>
#include <vector>

namespace ipai {

// Addresses [begin, end).
struct ByteRange {
  uintptr_t begin = 0;
  uintptr_t end = 0;
};

struct NodeAccess {
  std::vector<ByteRange> reads;
  std::vector<ByteRange> writes;
};

// By node, in the order they are listed in: the earlier ones that it waits for, because one of the two writes
// what the other reads or writes. Those that are waited for anyway, by one of these, are left out. Takes
// memory quadratic in the number of nodes: a bit for each pair.
std::vector<std::vector<int32_t>> find_predecessors(const std::vector<NodeAccess>& nodes);

}  // namespace ipai
