#include "runtime/node_order.h"

#include <algorithm>
#include <functional>
#include <map>

namespace ipai {
namespace {

// Who wrote each byte last, and who has read it since.
class MemoryHistory {
 public:
  // Adds who wrote the range to `waited`.
  void read(const ByteRange& range, int32_t node, std::vector<int32_t>& waited) {
    for (auto span = spans_from(range); span != spans_.end() && span->first < range.end; ++span) {
      if (span->second.writer >= 0) waited.push_back(span->second.writer);
      span->second.readers.push_back(node);
    }
  }

  // Adds who wrote the range, or has read it, to `waited`.
  void write(const ByteRange& range, int32_t node, std::vector<int32_t>& waited) {
    const auto first = spans_from(range);
    auto span = first;
    for (; span != spans_.end() && span->first < range.end; ++span) {
      const Span& known = span->second;
      if (known.writer >= 0) waited.push_back(known.writer);
      waited.insert(waited.end(), known.readers.begin(), known.readers.end());
    }
    spans_.erase(first, span);
    spans_[range.begin] = {range.end, node, {}};
  }

 private:
  struct Span {
    uintptr_t end = 0;
    int32_t writer = -1;
    std::vector<int32_t> readers;
  };
  // By the first address; none overlaps another.
  using Spans = std::map<uintptr_t, Span>;

  // The first span of a range, after spans have been cut at its ends and made where it has none.
  Spans::iterator spans_from(const ByteRange& range) {
    cut(range.begin);
    cut(range.end);
    uintptr_t place = range.begin;
    for (auto span = spans_.lower_bound(place); place < range.end;) {
      const uintptr_t next = span == spans_.end() ? range.end : std::min(range.end, span->first);
      if (place < next) spans_[place] = {next, -1, {}};
      if (span == spans_.end()) break;
      place = span->second.end;
      ++span;
    }
    return spans_.lower_bound(range.begin);
  }

  void cut(uintptr_t place) {
    auto after = spans_.upper_bound(place);
    if (after == spans_.begin()) return;
    auto& [begin, span] = *std::prev(after);
    if (begin == place || span.end <= place) return;
    Span rest = span;
    span.end = place;
    spans_[place] = std::move(rest);
  }

  Spans spans_;
};

// All that each node waits for, whether or not by way of others.
class Ancestors {
 public:
  explicit Ancestors(size_t nodes) : words_((nodes + kBits - 1) / kBits), bits_(nodes * words_, 0) {}

  bool has(int32_t node, int32_t ancestor) const { return (row(node)[word(ancestor)] & bit(ancestor)) != 0; }
  void add(int32_t node, int32_t ancestor) {
    uint64_t* const target = row(node);
    const uint64_t* const source = row(ancestor);
    for (size_t i = 0; i <= word(ancestor); ++i) target[i] |= source[i];
    target[word(ancestor)] |= bit(ancestor);
  }

 private:
  static constexpr size_t kBits = 64;
  static size_t word(int32_t node) { return static_cast<size_t>(node) / kBits; }
  static uint64_t bit(int32_t node) { return uint64_t{1} << static_cast<size_t>(node) % kBits; }
  uint64_t* row(int32_t node) { return bits_.data() + static_cast<size_t>(node) * words_; }
  const uint64_t* row(int32_t node) const { return bits_.data() + static_cast<size_t>(node) * words_; }

  size_t words_;
  std::vector<uint64_t> bits_;
};

}  // namespace

std::vector<std::vector<int32_t>> find_predecessors(const std::vector<NodeAccess>& nodes) {
  std::vector<std::vector<int32_t>> predecessors(nodes.size());
  MemoryHistory history;
  Ancestors ancestors(nodes.size());
  std::vector<int32_t> waited;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const auto node = static_cast<int32_t>(i);
    waited.clear();
    for (const ByteRange& range : nodes[i].reads) history.read(range, node, waited);
    for (const ByteRange& range : nodes[i].writes) history.write(range, node, waited);
    // The newest first: it is the one that waits for others.
    std::sort(waited.begin(), waited.end(), std::greater<>());
    for (const int32_t other : waited) {
      if (other == node || ancestors.has(node, other)) continue;
      predecessors[i].push_back(other);
      ancestors.add(node, other);
    }
  }
  return predecessors;
}

}  // namespace ipai
