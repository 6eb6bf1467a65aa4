// Attention of one tile of queries of one head over any number of keys, in blocks, without ever holding all
// scores (Dao et al. 2022, FlashAttention, algorithm 1; the online softmax is Milakov & Gimelshein 2018,
// algorithm 3).
//
// All matrices of a tile are transposed: column q belongs to query q. The softmax, which runs over keys, is
// then plain arithmetic between vectors.
#pragma once

#include <cstddef>
#include <limits>

#include "cpu/attention_kernel.h"
#include "cpu/convert.h"
#include "cpu/softmax_exp.h"

namespace ipai::IPAI_TARGET {

// Scores of keys beyond the query (causal), and numbers to add to scores.
struct ScoreMask {
  const float* added = nullptr;  // row of the tile's first query, [keys]; may be null
  int64_t added_stride = 0;      // from query to query; 0 where all share one row
  bool causal = false;           // query q sees the keys 0 ... q
  int64_t first_query = 0;
};

template <class T>
struct KeysAndValues {
  const T* keys;    // of the head: key i at keys + i·stride
  const T* values;  // likewise
  int64_t stride;
  int64_t count;
};

// Not yet normalised result of one softmax.
struct WeightedValues {
  float* sums;    // [padded head size, kTileQueries]: Σ e^(score - maximum) · value
  float* totals;  // [kTileQueries]: Σ e^(score - maximum); after `normalize` the factors of the sums
};

class AttentionTile {
 public:
  // `results` is the number of WeightedValues that live at a time.
  AttentionTile(std::byte* memory, int64_t head_size, int results);
  static size_t bytes(int64_t head_size, int results);

  WeightedValues result(int index) const {
    return {sums_ + index * result_size(), totals_ + index * kTileQueries};
  }

  // Takes `count` queries, at most kTileQueries; `scale` is that of the scores.
  template <class T>
  void load_queries(const T* queries, int64_t stride, int count, float scale);

  // Fills `result` with the softmax over these keys. At least one key.
  template <class T>
  void attend(const KeysAndValues<T>& source, const ScoreMask& mask, WeightedValues result);

  // Turns totals into weight / total, or 0 for queries all of whose keys are masked with -infinity.
  void normalize(WeightedValues result, float weight) const;

  // Writes the sum of the first `results` normalised results.
  template <class T>
  void write(T* output, int64_t stride, int results) const;

 private:
  static int64_t round_up(int64_t count, int64_t unit) { return (count + unit - 1) / unit * unit; }
  // Keys of one block: as many as leave room in the L2 cache for long heads.
  static int64_t block_keys(int64_t head_size) { return head_size <= 160 ? 64 : 32; }
  int64_t result_size() const { return padded_size_ * kTileQueries; }

  template <class T>
  void load_block(const KeysAndValues<T>& source, int64_t first, int64_t count);
  void score_block(int64_t count);
  void mask_block(const ScoreMask& mask, int64_t first_key, int64_t count);
  void exponentiate_block(int64_t count, float* totals);

  int64_t head_size_;
  int64_t padded_size_;  // head size rounded up to kRowBlock
  int64_t block_keys_;
  int count_ = 0;   // queries
  int vecs_ = 0;    // vectors of queries
  float* queries_;  // [head size, kTileQueries]
  float* scores_;   // [block keys, kTileQueries]; becomes e^(score - maximum)
  float* sums_;
  float* totals_;
  float* maxima_;       // [kTileQueries]: largest score of each query so far
  float* corrections_;  // [kTileQueries]: e^(previous maximum - maximum)
  float* keys_;         // [block keys, head size]
  float* values_;       // [block keys, padded size]
};

inline AttentionTile::AttentionTile(std::byte* memory, int64_t head_size, int results)
    : head_size_(head_size),
      padded_size_(round_up(head_size, kRowBlock)),
      block_keys_(block_keys(head_size)),
      queries_(reinterpret_cast<float*>(memory)),
      scores_(queries_ + head_size * kTileQueries),
      sums_(scores_ + block_keys_ * kTileQueries),
      totals_(sums_ + results * result_size()),
      maxima_(totals_ + results * kTileQueries),
      corrections_(maxima_ + kTileQueries),
      keys_(corrections_ + kTileQueries),
      values_(keys_ + block_keys_ * head_size) {}

inline size_t AttentionTile::bytes(int64_t head_size, int results) {
  const int64_t padded = round_up(head_size, kRowBlock);
  const int64_t rows = head_size + block_keys(head_size) + results * (padded + 1) + 2;
  const int64_t floats = rows * kTileQueries + block_keys(head_size) * (head_size + padded);
  return static_cast<size_t>(round_up(floats, 16)) * sizeof(float);
}

template <class T>
void AttentionTile::load_queries(const T* queries, int64_t stride, int count, float scale) {
  count_ = count;
  vecs_ = static_cast<int>(round_up(count, Vec::kLanes)) / Vec::kLanes;
  for (int64_t channel = 0; channel < head_size_; ++channel) {
    float* const row = queries_ + channel * kTileQueries;
    for (int q = 0; q < count; ++q) row[q] = to_float(queries[q * stride + channel]) * scale;
    std::fill(row + count, row + vecs_ * Vec::kLanes, 0.0f);
  }
}

template <class T>
void AttentionTile::attend(const KeysAndValues<T>& source, const ScoreMask& mask, WeightedValues result) {
  const int columns = vecs_ * Vec::kLanes;
  // A finite start, so that differences from it are never infinity - infinity.
  std::fill_n(maxima_, columns, std::numeric_limits<float>::lowest());
  std::fill_n(result.totals, columns, 0.0f);
  int64_t end = source.count;
  if (mask.causal) end = std::min(end, mask.first_query + count_);
  for (int64_t first = 0; first < end; first += block_keys_) {
    const int64_t count = std::min(block_keys_, end - first);
    load_block(source, first, count);
    score_block(count);
    mask_block(mask, first, count);
    exponentiate_block(count, result.totals);
    multiply<ALayout::kRowsAdjacent>({values_, padded_size_, scores_, result.sums, padded_size_, count, vecs_,
                                      first == 0 ? nullptr : corrections_});
  }
}

// Keys and values as float32 and close together, wherever they come from; rows are filled up to whole blocks
// with 0.
template <class T>
void AttentionTile::load_block(const KeysAndValues<T>& source, int64_t first, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    convert<T>(source.keys + (first + i) * source.stride, keys_ + i * head_size_, head_size_);
    float* const value = values_ + i * padded_size_;
    convert<T>(source.values + (first + i) * source.stride, value, head_size_);
    std::fill(value + head_size_, value + padded_size_, 0.0f);
  }
  std::fill(keys_ + count * head_size_, keys_ + round_up(count, kRowBlock) * head_size_, 0.0f);
}

inline void AttentionTile::score_block(int64_t count) {
  multiply<ALayout::kRowsApart>(
      {keys_, head_size_, queries_, scores_, round_up(count, kRowBlock), head_size_, vecs_, nullptr});
}

inline void AttentionTile::mask_block(const ScoreMask& mask, int64_t first_key, int64_t count) {
  for (int q = 0; q < count_ && mask.added != nullptr; ++q) {
    const float* const added = mask.added + q * mask.added_stride + first_key;
    for (int64_t i = 0; i < count; ++i) scores_[i * kTileQueries + q] += added[i];
  }
  if (!mask.causal) return;
  for (int64_t i = std::max<int64_t>(0, mask.first_query + 1 - first_key); i < count; ++i) {
    const int64_t hidden = std::min<int64_t>(count_, first_key + i - mask.first_query);
    std::fill_n(scores_ + i * kTileQueries, hidden, -std::numeric_limits<float>::infinity());
  }
}

// One step of the online softmax for each vector of queries.
inline void AttentionTile::exponentiate_block(int64_t count, float* totals) {
  for (int column = 0; column < vecs_ * Vec::kLanes; column += Vec::kLanes) {
    float* const scores = scores_ + column;
    const Vec previous = Vec::load(maxima_ + column);
    Vec maximum = previous;
    for (int64_t i = 0; i < count; ++i) maximum = max(Vec::load(scores + i * kTileQueries), maximum);
    const Vec correction = softmax_exp(previous - maximum);
    Vec total = Vec::load(totals + column) * correction;
    for (int64_t i = 0; i < count; ++i) {
      const Vec weight = softmax_exp(Vec::load(scores + i * kTileQueries) - maximum);
      total = total + weight;
      weight.store(scores + i * kTileQueries);
    }
    maximum.store(maxima_ + column);
    correction.store(corrections_ + column);
    total.store(totals + column);
  }
}

inline void AttentionTile::normalize(WeightedValues result, float weight) const {
  for (int q = 0; q < count_; ++q) result.totals[q] = result.totals[q] == 0 ? 0 : weight / result.totals[q];
}

template <class T>
void AttentionTile::write(T* output, int64_t stride, int results) const {
  for (int q = 0; q < count_; ++q) {
    for (int64_t channel = 0; channel < head_size_; ++channel) {
      const int64_t element = channel * kTileQueries + q;
      float value = sums_[element] * totals_[q];
      if (results > 1) value += sums_[result_size() + element] * totals_[kTileQueries + q];
      store_scalar(output + q * stride + channel, value);
    }
  }
}

}  // namespace ipai::IPAI_TARGET
