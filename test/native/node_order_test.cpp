#include "runtime/node_order.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <random>

using ipai::ByteRange;
using ipai::NodeAccess;

namespace {

using Random = std::mt19937;
using Predecessors = std::vector<std::vector<int32_t>>;

constexpr int kMemory = 40;

int pick(Random& random, int low, int high) {
  return std::uniform_int_distribution<int>(low, high)(random);
}

std::vector<NodeAccess> random_nodes(Random& random) {
  const auto ranges = [&](int most) {
    std::vector<ByteRange> result(static_cast<size_t>(pick(random, 0, most)));
    for (ByteRange& range : result) {
      range.begin = static_cast<uintptr_t>(pick(random, 0, kMemory - 1));
      range.end = static_cast<uintptr_t>(pick(random, static_cast<int>(range.begin) + 1, kMemory));
    }
    return result;
  };
  std::vector<NodeAccess> nodes(static_cast<size_t>(pick(random, 1, 30)));
  for (NodeAccess& node : nodes) node = {ranges(3), ranges(2)};
  return nodes;
}

// By node: what it read, as who had written each byte of it. Nodes run in this order.
std::vector<std::vector<int32_t>> values_read(const std::vector<NodeAccess>& nodes,
                                              const std::vector<int32_t>& order) {
  std::vector<int32_t> writers(kMemory, -1);
  std::vector<std::vector<int32_t>> read(nodes.size() + 1);
  for (const int32_t node : order) {
    const NodeAccess& access = nodes[static_cast<size_t>(node)];
    for (const ByteRange& range : access.reads) {
      for (uintptr_t place = range.begin; place < range.end; ++place)
        read[static_cast<size_t>(node)].push_back(writers[place]);
    }
    for (const ByteRange& range : access.writes)
      std::fill(writers.begin() + static_cast<ptrdiff_t>(range.begin),
                writers.begin() + static_cast<ptrdiff_t>(range.end), node);
  }
  read.back() = writers;
  return read;
}

// Any order that the predecessors allow.
std::vector<int32_t> random_order(const Predecessors& predecessors, Random& random) {
  std::vector<int32_t> order;
  std::vector<bool> done(predecessors.size(), false);
  while (order.size() < predecessors.size()) {
    std::vector<int32_t> ready;
    for (size_t i = 0; i < predecessors.size(); ++i) {
      const auto is_done = [&](int32_t other) { return done[static_cast<size_t>(other)]; };
      if (!done[i] && std::all_of(predecessors[i].begin(), predecessors[i].end(), is_done))
        ready.push_back(static_cast<int32_t>(i));
    }
    REQUIRE_FALSE(ready.empty());
    order.push_back(ready[static_cast<size_t>(pick(random, 0, static_cast<int>(ready.size()) - 1))]);
    done[static_cast<size_t>(order.back())] = true;
  }
  return order;
}

}  // namespace

TEST_CASE("nodes that keep to their predecessors read what they read one after another") {
  Random random(1);
  for (int round = 0; round < 500; ++round) {
    const std::vector<NodeAccess> nodes = random_nodes(random);
    std::vector<int32_t> listed;
    for (size_t i = 0; i < nodes.size(); ++i) listed.push_back(static_cast<int32_t>(i));
    const Predecessors predecessors = ipai::find_predecessors(nodes);
    for (int trial = 0; trial < 5; ++trial)
      REQUIRE(values_read(nodes, random_order(predecessors, random)) == values_read(nodes, listed));
  }
}

TEST_CASE("a predecessor conflicts with its node, and no other predecessor waits for it") {
  Random random(2);
  const auto overlap = [](const std::vector<ByteRange>& a, const std::vector<ByteRange>& b) {
    return std::any_of(a.begin(), a.end(), [&](const ByteRange& x) {
      return std::any_of(b.begin(), b.end(),
                         [&](const ByteRange& y) { return x.begin < y.end && y.begin < x.end; });
    });
  };
  for (int round = 0; round < 500; ++round) {
    const std::vector<NodeAccess> nodes = random_nodes(random);
    const Predecessors predecessors = ipai::find_predecessors(nodes);
    std::vector<std::vector<bool>> waits(nodes.size(), std::vector<bool>(nodes.size(), false));
    for (size_t i = 0; i < nodes.size(); ++i) {
      for (const int32_t other : predecessors[i]) {
        const auto j = static_cast<size_t>(other);
        REQUIRE(j < i);
        const NodeAccess &a = nodes[j], &b = nodes[i];
        CHECK((overlap(a.writes, b.reads) || overlap(a.writes, b.writes) || overlap(a.reads, b.writes)));
        CHECK_FALSE(waits[i][j]);
        for (size_t k = 0; k < nodes.size(); ++k) waits[i][k] = waits[i][k] || waits[j][k];
        waits[i][j] = true;
      }
    }
  }
}

TEST_CASE("nodes that read the same, and write elsewhere, do not wait for each other") {
  const std::vector<NodeAccess> nodes = {
      {{}, {{0, 8}}}, {{{0, 8}}, {{8, 16}}}, {{{0, 4}}, {{16, 24}}}, {{{8, 16}, {16, 24}}, {{0, 8}}}};
  CHECK(ipai::find_predecessors(nodes) == Predecessors{{}, {0}, {0}, {2, 1}});
}
