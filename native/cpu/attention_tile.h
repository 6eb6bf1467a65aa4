// Attention of one tile of queries of one head over any number of keys, in blocks, without ever holding all
// scores (Dao et al. 2022, FlashAttention, algorithm 1). Each group of queries goes from scores to weighted
// values before the next one starts, so that its scores stay in the L1 cache; the groups of a tile share the
// blocks of keys and values that the tile brings in.
//
// All matrices of a group are transposed: column q belongs to query q.
//
// Floor: 4 · queries · keys · head size operations at the rate of multiply-adds. Reached of that rate on one
// Zen 4 core with AVX-512 (attention_bench: processor time, the rate measured in the same minute), float32
// and bfloat16: 4096 tokens, 8 heads of 40: 85% and 72%; 1024, 8 of 80: 88% and 80%; 256, 8 of 160: 91% and
// 86%; 4096, one of 512: 88% and 82%. What is missing are the exponentials, 8% and 16% of the time with heads
// of 40, and for the head of 512 the way from the L3 cache.
#pragma once

#include "cpu/attention_blocks.h"
#include "cpu/attention_columns.h"
#include "cpu/attention_mask.h"
#include "cpu/online_softmax.h"

namespace ipai::IPAI_TARGET {

template <class T>
class AttentionTile {
 public:
  // Queries of one tile at most: more of them share a block of keys and values, as long as the tile stays in
  // the L2 cache.
  static int max_queries(int64_t head_size) { return head_size <= 64 ? 256 : 128; }

  // `results` is the number of softmaxes whose results live at a time; `scale` is that of the scores.
  AttentionTile(std::byte* memory, int64_t head_size, int results, float scale);
  static size_t bytes(int64_t head_size, int results);

  // Takes `count` queries, at most max_queries.
  void load_queries(const T* queries, int64_t stride, int count);

  // Fills result `index` with the softmax over these keys, times `weight`; 0 for queries all of whose keys
  // are masked with -infinity. At least one key.
  void attend(const KeysAndValues<T>& source, const ScoreMask& mask, int index, float weight);

  // Writes the sum of the first `results` results.
  void write(T* output, int64_t stride, int results) const;

 private:
  using E = Operand<T>;

  struct Group {
    int first_query;       // within the tile
    int count;             // queries
    int vecs;              // of queries
    const float* queries;  // [words of the head size, kGroupQueries]
    float* sums;           // [head size, kGroupQueries]: Σ weight · value
    SoftmaxState softmax;
  };

  // Keys of one block at most: for long heads few, so that block and tile fit into the L2 cache together.
  static int64_t max_block_keys(int64_t head_size) { return head_size <= 160 ? 128 : 40; }
  static int64_t max_groups(int64_t head_size) {
    return (max_queries(head_size) + kGroupQueries - 1) / kGroupQueries;
  }
  // Keys are cut into blocks of about equal length.
  int64_t block_keys(int64_t keys) const {
    const int64_t most = max_block_keys(head_size_);
    const int64_t blocks = (keys + most - 1) / most;
    return ((keys + blocks - 1) / blocks + kRowBlock - 1) / kRowBlock * kRowBlock;
  }
  int groups() const { return (count_ + kGroupQueries - 1) / kGroupQueries; }
  Group group(int number, int result) const;
  void attend_block(const Group& group, const KeyBlock<E>& block, const ScoreMask& mask, int64_t first_key,
                    int64_t count);

  int64_t head_size_;
  int64_t groups_size_;  // groups of a full tile
  float factor_;         // of scores in base 2
  int count_ = 0;        // queries
  float* scores_;        // [block keys, kGroupQueries]; become weights
  float* corrections_;   // [kGroupQueries]
  float* maxima_now_;    // [kGroupQueries]: those of the group, this block included
  float* queries_;       // of all groups; see Group
  float* maxima_;
  float* totals_;  // of all results and groups; in the end the factors of the sums
  float* sums_;
  E* copies_;  // of a block
};

template <class T>
AttentionTile<T>::AttentionTile(std::byte* memory, int64_t head_size, int results, float scale)
    : head_size_(head_size),
      groups_size_(max_groups(head_size)),
      factor_(static_cast<float>(scale * kLog2E)),
      scores_(reinterpret_cast<float*>(memory)),
      corrections_(scores_ + max_block_keys(head_size) * kGroupQueries),
      maxima_now_(corrections_ + kGroupQueries),
      queries_(maxima_now_ + kGroupQueries),
      maxima_(queries_ + groups_size_ * words<E>(head_size) * kGroupQueries),
      totals_(maxima_ + groups_size_ * kGroupQueries),
      sums_(totals_ + results * groups_size_ * kGroupQueries),
      copies_(reinterpret_cast<E*>(sums_ + results * groups_size_ * head_size * kGroupQueries)) {}

template <class T>
size_t AttentionTile<T>::bytes(int64_t head_size, int results) {
  const int64_t group_rows = words<E>(head_size) + 1 + results * (head_size + 1);
  const int64_t rows = max_block_keys(head_size) + 2 + max_groups(head_size) * group_rows;
  const size_t size =
      static_cast<size_t>(rows * kGroupQueries) * sizeof(float) +
      static_cast<size_t>(block_elements<E, T>(max_block_keys(head_size), head_size)) * sizeof(E);
  return (size + 63) / 64 * 64;
}

template <class T>
typename AttentionTile<T>::Group AttentionTile<T>::group(int number, int result) const {
  const int first = number * kGroupQueries;
  const int count = std::min(kGroupQueries, count_ - first);
  const int64_t place = result * groups_size_ + number;
  return {first,
          count,
          (count + Vec::kLanes - 1) / Vec::kLanes,
          queries_ + number * words<E>(head_size_) * kGroupQueries,
          sums_ + place * head_size_ * kGroupQueries,
          {maxima_ + first, totals_ + place * kGroupQueries, corrections_}};
}

template <class T>
void AttentionTile<T>::load_queries(const T* queries, int64_t stride, int count) {
  count_ = count;
  const int64_t group_size = words<E>(head_size_) * kGroupQueries;
  for (int q = 0; q < count; q += Vec::kLanes) {
    const int next = std::min(q + Vec::kLanes, count);
    prefetch_rows<false>(queries + next * stride, stride, std::min(Vec::kLanes, count - next), head_size_);
    transpose_queries<E>(queries + q * stride, stride, std::min(Vec::kLanes, count - q), head_size_,
                         queries_ + q / kGroupQueries * group_size + q % kGroupQueries);
  }
}

template <class T>
void AttentionTile<T>::attend(const KeysAndValues<T>& source, const ScoreMask& mask, int index,
                              float weight) {
  for (int g = 0; g < groups(); ++g) begin_softmax(group(g, index).softmax);
  const int64_t end = mask.causal ? std::min(source.count, mask.first_query + count_) : source.count;
  const int64_t step = block_keys(source.count);
  for (int64_t first = 0; first < end; first += step) {
    const int64_t count = std::min(step, end - first);
    prefetch_keys(source, first + count, std::min(step, end - first - count), head_size_);
    const KeyBlock<E> block = load_block(source, first, count, head_size_, copies_);
    for (int g = 0; g < groups(); ++g) attend_block(group(g, index), block, mask, first, count);
  }
  for (int g = 0; g < groups(); ++g) {
    float* const totals = group(g, index).softmax.totals;
    for (int q = 0; q < kGroupQueries; ++q) totals[q] = totals[q] == 0 ? 0 : weight / totals[q];
  }
}

template <class T>
void AttentionTile<T>::attend_block(const Group& group, const KeyBlock<E>& block, const ScoreMask& mask,
                                    int64_t first_key, int64_t count) {
  const BlockMask block_mask = block_of(mask, group.first_query, first_key);
  if (mask.causal) count = std::min(count, block_mask.first_query + group.count - first_key);
  if (count <= 0) return;
  const SoftmaxState& softmax = group.softmax;
  std::copy_n(softmax.maxima, kGroupQueries, maxima_now_);
  const bool scaled = mask.added != nullptr || !(factor_ > 0);
  const bool changed = scaled || mask.causal;

  Product<E> scores = {block.keys, block.key_stride,     group.queries, scores_,
                       count,      words<E>(head_size_), group.vecs};
  if (!changed) scores.maxima = maxima_now_;
  multiply<ALayout::kRowsApart>(scores);
  if (scaled) scale_and_add(block_mask, count, group.count, factor_, scores_);
  if (mask.causal) hide_later_keys(block_mask, count, scores_);
  if (changed) raise_maxima(scores_, count, group.vecs, maxima_now_);
  for (int column = 0; column < group.vecs * Vec::kLanes; column += Vec::kLanes) {
    exponentiate<E>(scores_ + column, count, scaled ? 1 : factor_, maxima_now_, softmax, column);
  }

  Product<E> values = {block.values, block.value_stride, scores_,   group.sums,
                       head_size_,   words<E>(count),    group.vecs};
  if (first_key > 0) values.start = corrects(softmax, group.vecs) ? Start::kScale : Start::kKeep;
  values.factors = softmax.corrections;
  multiply<ALayout::kRowsAdjacent>(values);
}

template <class T>
void AttentionTile<T>::write(T* output, int64_t stride, int results) const {
  for (int q = 0; q < count_; q += Vec::kLanes) {
    const Group first = group(q / kGroupQueries, 0);
    const Group last = group(q / kGroupQueries, results - 1);
    const int column = q % kGroupQueries;
    const auto scaled = [column](const Group& result, int64_t channel) {
      return Vec::load(result.sums + channel * kGroupQueries + column) *
             Vec::load(result.softmax.totals + column);
    };
    const int count = std::min(Vec::kLanes, count_ - q);
    const int next = q + count;
    prefetch_rows<true>(output + next * stride, stride, std::min(Vec::kLanes, count_ - next), head_size_);
    transpose_results(output + q * stride, stride, count, head_size_, [&](int64_t channel) {
      const Vec value = scaled(first, channel);
      return results == 1 ? value : value + scaled(last, channel);
    });
  }
}

}  // namespace ipai::IPAI_TARGET
