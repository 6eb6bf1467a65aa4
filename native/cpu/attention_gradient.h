// Gradients of one head's attention. With P = softmax(S), S = scale · Q·Kᵀ + mask, O = P·V and the gradient G
// of O:
//
//   dV = Pᵀ·G,  dS = P ∘ (G·Vᵀ - rowsum(G ∘ O)),  dQ = scale · dS·K,  dK = scale · dSᵀ·Q
//
// (Dao et al. 2022, FlashAttention, appendix B.2). A first pass takes each query's softmax apart into the
// logarithm of its sum; then columns of keys (a panel of the micro-kernel) meet all queries, some hundred at
// a time.
//
// Where bfloat16 is multiplied in pairs, P and dS are rounded to it for the products along tokens, as for the
// three along channels Q, K, V and G are given in it.
//
// Floor: 6 products of 2·Nq·Nk·D operations, one of them for the first pass, and two exponentials for each
// score.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/attention_kernel.h"
#include "cpu/convert.h"
#include "cpu/math.h"
#include "cpu/micro_kernel.h"
#include "cpu/online_softmax.h"
#include "cpu/parts.h"

namespace ipai::IPAI_TARGET {

struct AttentionGradientShape {
  static constexpr int64_t kColumns = kTileColumns;
  static constexpr int64_t kBlockQueries = 16 * kTileRows;  // whose scores stay in the L1 and L2

  int64_t queries, keys, head_size;

  static int64_t panels(int64_t columns) { return (columns + kColumns - 1) / kColumns; }
  // Channels of the products along them, which take bfloat16 in pairs.
  int64_t depth() const { return head_size + head_size % 2; }
  // From channel to channel of columns of queries, which are taken in pairs. A line more, because rows a
  // multiple of 4 KiB apart meet in the same few lines of the L1.
  int64_t column_stride() const { return queries + queries % 2 + 2 * Vec::kLanes; }
  int64_t key_panels() const { return panels(keys); }
  int64_t channel_panels() const { return panels(head_size); }
  int64_t block() const { return std::min(kBlockQueries, queries); }
  // What one head needs, in floats.
  int64_t scratch_floats() const {
    const int64_t rows = 2 * queries * depth();                         // q, gradient
    const int64_t columns = 2 * column_stride() * head_size;            // the same, transposed
    const int64_t keys_across = 2 * key_panels() * kColumns * depth();  // k, v: [panel][channel][column]
    const int64_t keys_along = key_panels() * channel_panels() * kColumns * kColumns;
    const int64_t dq = channel_panels() * queries * kColumns;
    const int64_t dk_dv = 2 * head_size * kColumns;
    const int64_t score_rows = 2 * (block() + block() % 2) + 3 * kTileRows;
    const int64_t scores = std::max(score_rows, kTileRows * key_panels()) * kColumns;
    return rows + columns + keys_across + keys_along + dq + dk_dv + scores + 2 * queries;
  }
};

// mask(query, key) is what stands beside the scaled score: a number, or -infinity.
template <class T, class Mask>
class AttentionGradientHead {
 public:
  using Shape = AttentionGradientShape;
  using E = Operand<T>;
  static constexpr int64_t kUnit = PanelProduct<E>::kDepthUnit;
  static constexpr int64_t kColumns = Shape::kColumns;

  struct Operands {
    const T *q, *k, *v, *output, *gradient;
    T *dq, *dk, *dv;
    int64_t stride;  // from token to token, of all of them
  };

  AttentionGradientHead(const Shape& shape, float scale, const Operands& operands, Mask mask, float* scratch)
      : s_(shape), scale_(scale), o_(operands), mask_(mask) {
    const auto take = [&](int64_t floats) {
      float* const part = scratch;
      scratch += floats;
      return part;
    };
    const auto take_operands = [&](int64_t count) { return reinterpret_cast<E*>(take(count)); };
    q_ = take_operands(s_.queries * s_.depth());
    g_ = take_operands(s_.queries * s_.depth());
    q_columns_ = take_operands(s_.column_stride() * s_.head_size);
    g_columns_ = take_operands(s_.column_stride() * s_.head_size);
    k_across_ = take_operands(s_.key_panels() * kColumns * s_.depth());
    v_across_ = take_operands(s_.key_panels() * kColumns * s_.depth());
    k_along_ = take_operands(s_.key_panels() * s_.channel_panels() * kColumns * kColumns);
    dq_ = take(s_.channel_panels() * s_.queries * kColumns);
    dk_ = take(s_.head_size * kColumns);
    dv_ = take(s_.head_size * kColumns);
    logs_ = take(s_.queries);
    dots_ = take(s_.queries);
    // `measure` and `differentiate` share what is left.
    scores_ = scratch;
    raw_slopes_ = scratch + kTileRows * kColumns;
    slope_rows_ = reinterpret_cast<E*>(scratch + 2 * kTileRows * kColumns);
    weights_ = reinterpret_cast<E*>(scratch + 3 * kTileRows * kColumns);
    slopes_ = weights_ + (s_.block() + s_.block() % 2) * kColumns;
  }

  void run() {
    for (int64_t query = 0; query < s_.queries; query += Vec::kLanes) load_queries(query);
    load_keys();
    for (int64_t query = 0; query < s_.queries; query += kTileRows) measure(query);
    std::fill_n(dq_, s_.channel_panels() * s_.queries * kColumns, 0.0f);
    for (int64_t panel = 0; panel < s_.key_panels(); ++panel) {
      for (int64_t query = 0; query < s_.queries; query += s_.block()) {
        differentiate(panel, query, std::min(s_.block(), s_.queries - query));
      }
      store_columns(dk_, panel, o_.dk);
      store_columns(dv_, panel, o_.dv);
    }
    for (int64_t query = 0; query < s_.queries; ++query) {
      for (int64_t part = 0; part < s_.channel_panels(); ++part) {
        const int64_t first = part * kColumns;
        convert<float>(dq_ + (part * s_.queries + query) * kColumns, o_.dq + query * o_.stride + first,
                       std::min(kColumns, s_.head_size - first));
      }
    }
  }

 private:
  static E operand(T value) {
    if constexpr (std::is_same_v<E, T>) {
      return value;
    } else {
      return to_float(value);
    }
  }

  // A row of channels, filled up with zeros.
  void load_row(const T* from, E* to) const {
    convert<T>(from, to, s_.head_size);
    std::fill(to + s_.head_size, to + s_.depth(), E{});
  }

  // A vector of queries, so that each channel's column grows by a line at a time.
  void load_queries(int64_t first) {
    const int64_t last = std::min(first + Vec::kLanes, s_.queries);
    for (int64_t query = first; query < last; ++query) {
      const T* const gradient = o_.gradient + query * o_.stride;
      load_row(o_.q + query * o_.stride, q_ + query * s_.depth());
      load_row(gradient, g_ + query * s_.depth());
      dots_[query] = dot(gradient, o_.output + query * o_.stride);
    }
    for (int64_t d = 0; d < s_.head_size; ++d) {
      E* const q = q_columns_ + d * s_.column_stride();
      E* const g = g_columns_ + d * s_.column_stride();
      for (int64_t query = first; query < last; ++query) {
        q[query] = q_[query * s_.depth() + d];
        g[query] = g_[query * s_.depth() + d];
      }
      // What the last pair may lack.
      q[last] = g[last] = E{};
    }
  }

  float dot(const T* a, const T* b) const {
    Vec products = Vec::zero();
    int64_t d = 0;
    for (; d + Vec::kLanes <= s_.head_size; d += Vec::kLanes) {
      products = fma(Vec::load(a + d), Vec::load(b + d), products);
    }
    float total = sum(products);
    for (; d < s_.head_size; ++d) total += to_float(a[d]) * to_float(b[d]);
    return total;
  }

  // Columns beyond the keys, and channels beyond the head, are 0.
  void load_keys() {
    std::fill_n(k_across_, s_.key_panels() * kColumns * s_.depth(), E{});
    std::fill_n(v_across_, s_.key_panels() * kColumns * s_.depth(), E{});
    std::fill_n(k_along_, s_.key_panels() * s_.channel_panels() * kColumns * kColumns, E{});
    for (int64_t key = 0; key < s_.keys; ++key) {
      const int64_t panel = key / kColumns, column = key % kColumns;
      const T* const k = o_.k + key * o_.stride;
      const T* const v = o_.v + key * o_.stride;
      for (int64_t d = 0; d < s_.head_size; ++d) {
        const int64_t across = (d / kUnit * kColumns + column) * kUnit + d % kUnit;
        of_panel(k_across_, panel)[across] = operand(k[d]);
        of_panel(v_across_, panel)[across] = operand(v[d]);
        const int64_t part = d / kColumns, width = vecs_of(part) * Vec::kLanes;
        const int64_t place = (column / kUnit * width + d % kColumns) * kUnit + column % kUnit;
        along(panel, part)[place] = operand(k[d]);
      }
    }
  }

  E* of_panel(E* across, int64_t panel) const { return across + panel * kColumns * s_.depth(); }

  // Keys of a panel [kColumns][vecs_of(part) · kLanes], or pairs of keys.
  E* along(int64_t panel, int64_t part) const {
    return k_along_ + (panel * s_.channel_panels() + part) * kColumns * kColumns;
  }

  // Vectors that the channels of a panel fill.
  int vecs_of(int64_t part) const {
    const int64_t channels = std::min(kColumns, s_.head_size - part * kColumns);
    return static_cast<int>((channels + Vec::kLanes - 1) / Vec::kLanes);
  }

  // target [rows][kColumns] = rows from `query` on times a panel of k or v.
  void multiply_across(const E* left, int64_t query, int rows, const E* right, float* target) const {
    micro_kernel<E>(rows, kTileVecs)(left + query * s_.depth(), s_.depth(), right, s_.depth(), target, false);
  }

  // Whether all keys of a panel count for every query.
  bool is_plain(int64_t panel) const { return !mask_.exists() && (panel + 1) * kColumns <= s_.keys; }
  // What `score` leaves to be multiplied, to scores in base 2.
  float factor_of(int64_t panel) const { return is_plain(panel) ? scale_ * static_cast<float>(kLog2E) : 1; }

  // Scores of some queries and the keys of a panel, to `target` [rows][kColumns].
  void score(int64_t query, int rows, int64_t panel, float* target) const {
    multiply_across(q_, query, rows, of_panel(k_across_, panel), target);
    if (is_plain(panel)) return;
    const Vec factor = Vec::broadcast(scale_ * static_cast<float>(kLog2E));
    for (int r = 0; r < rows; ++r) {
      float* const row = target + r * kColumns;
      for (int64_t i = 0; i < kColumns; i += Vec::kLanes) (Vec::load(row + i) * factor).store(row + i);
      mask_row(query + r, panel, row);
    }
  }

  void mask_row(int64_t query, int64_t panel, float* row) const {
    const int64_t first = panel * kColumns;
    if (mask_.exists()) {
      for (int64_t i = 0; i < std::min(kColumns, s_.keys - first); ++i) {
        row[i] += mask_(query, first + i) * static_cast<float>(kLog2E);
      }
    }
    for (int64_t i = std::max<int64_t>(0, s_.keys - first); i < kColumns; ++i) {
      row[i] = -std::numeric_limits<float>::infinity();
    }
  }

  // log2 Σ 2^score of up to kTileRows queries.
  void measure(int64_t query) {
    const auto rows = static_cast<int>(std::min<int64_t>(kTileRows, s_.queries - query));
    for (int64_t panel = 0; panel < s_.key_panels(); ++panel) {
      score(query, rows, panel, scores_ + panel * kTileRows * kColumns);
    }
    for (int r = 0; r < rows; ++r) {
      const auto for_each_part = [&](auto body) {
        for (int64_t panel = 0; panel < s_.key_panels(); ++panel) {
          const float* const row = scores_ + (panel * kTileRows + r) * kColumns;
          const Vec factor = Vec::broadcast(factor_of(panel));
          for (int64_t i = 0; i < kColumns; i += Vec::kLanes) body(Vec::load(row + i) * factor);
        }
      };
      Vec largest = Vec::broadcast(-std::numeric_limits<float>::infinity());
      for_each_part([&](Vec v) { largest = max(largest, v); });
      const float top = max_lane(largest);
      // Where all keys are masked out, no weight is left: 2^(score - infinity) is 0.
      if (top == -std::numeric_limits<float>::infinity()) {
        logs_[query + r] = std::numeric_limits<float>::infinity();
        continue;
      }
      Vec total = Vec::zero();
      for_each_part([&](Vec v) { total = total + exp2(v - Vec::broadcast(top)); });
      logs_[query + r] = top + std::log2(sum(total));
    }
  }

  // What some queries and a panel of keys give to each other.
  void differentiate(int64_t panel, int64_t query, int64_t count) {
    const E* const values = of_panel(v_across_, panel);
    for (int64_t first = 0; first < count; first += kTileRows) {
      const auto rows = static_cast<int>(std::min<int64_t>(kTileRows, count - first));
      score(query + first, rows, panel, scores_);
      multiply_across(g_, query + first, rows, values, raw_slopes_);
      for (int r = 0; r < rows; r += kUnit) weigh(query + first, r, rows, first, factor_of(panel));
      const E* const slopes = kUnit == 1 ? slopes_ + first * kColumns : slope_rows_;
      for (int64_t part = 0; part < s_.channel_panels(); ++part) {
        float* const dq = dq_ + (part * s_.queries + query + first) * kColumns;
        micro_kernel<E>(rows, vecs_of(part))(slopes, kColumns, along(panel, part), kColumns, dq, true);
      }
    }
    const int64_t depth = count + count % kUnit;
    add_columns(q_columns_ + query, slopes_, depth, query > 0, dk_);
    add_columns(g_columns_ + query, weights_, depth, query > 0, dv_);
  }

  // Of kUnit rows from r on of a tile, scores become weights, and gradients of weights those of scores. The
  // tile's first row is `first` of the block, and `query` of all.
  void weigh(int64_t query, int r, int rows, int64_t first, float score_factor) const {
    const Vec scale = Vec::broadcast(scale_), factor = Vec::broadcast(score_factor);
    for (int64_t i = 0; i < kColumns; i += Vec::kLanes) {
      Vec weights[kUnit], slopes[kUnit];
      for (int u = 0; u < kUnit; ++u) {
        weights[u] = slopes[u] = Vec::zero();
        if (r + u >= rows) continue;
        const int64_t at = (r + u) * kColumns + i;
        const Vec dot = Vec::broadcast(dots_[query + r + u]);
        const Vec log = Vec::broadcast(logs_[query + r + u]);
        weights[u] = exp2(Vec::load(scores_ + at) * factor - log);
        slopes[u] = weights[u] * (Vec::load(raw_slopes_ + at) - dot) * scale;
        if constexpr (kUnit > 1) store_lanes(slope_rows_ + at, slopes[u]);
      }
      const int64_t at = (first + r) * kColumns + i * kUnit;
      store_unit(weights_ + at, weights);
      store_unit(slopes_ + at, slopes);
    }
  }

  // A row, or two whose elements become neighbours.
  static void store_unit(E* target, const Vec* rows) {
#if defined(__AVX512BF16__)
    if constexpr (kUnit == 2) {
      _mm512_storeu_ps(target, pair_words(rows[0], rows[1]).v);
      return;
    }
#endif
    store_lanes(target, rows[0]);
  }

  // target [head_size][kColumns] = (or +=) columns of `count` queries times `right` [count][kColumns].
  void add_columns(const E* columns, const E* right, int64_t count, bool accumulate, float* target) const {
    // Tiles of about equal heights: the last few rows alone would wait for their sums.
    const int64_t tiles = divide_up(s_.head_size, kTileRows);
    for (int64_t tile = 0; tile < tiles; ++tile) {
      const Range rows = part_of(s_.head_size, tiles, tile);
      micro_kernel<E>(static_cast<int>(rows.size()), kTileVecs)(columns + rows.begin * s_.column_stride(),
                                                                s_.column_stride(), right, count,
                                                                target + rows.begin * kColumns, accumulate);
    }
  }

  void store_columns(const float* columns, int64_t panel, T* target) const {
    const int64_t first = panel * kColumns;
    for (int64_t i = 0; i < std::min(kColumns, s_.keys - first); ++i) {
      for (int64_t begin = 0; begin < s_.head_size; begin += Vec::kLanes) {
        const int64_t count = std::min<int64_t>(Vec::kLanes, s_.head_size - begin);
        float channels[Vec::kLanes];
        for (int64_t d = 0; d < count; ++d) channels[d] = columns[(begin + d) * kColumns + i];
        convert<float>(channels, target + (first + i) * o_.stride + begin, count);
      }
    }
  }

  const Shape s_;
  const float scale_;
  const Operands o_;
  const Mask mask_;
  E *q_, *g_;                    // [queries][depth]
  E *q_columns_, *g_columns_;    // [head_size][column_stride]
  E *k_across_, *v_across_;      // [panel][depth][kColumns], or pairs of channels
  E* k_along_;                   // [panel][channel panel][key][channel], or pairs of keys
  float* dq_;                    // [channel panel][queries][kColumns]
  float *dk_, *dv_;              // of a panel of keys: [head_size][kColumns]
  float* logs_;                  // log2 of each query's sum
  float* dots_;                  // rowsum(G ∘ O)
  float *scores_, *raw_slopes_;  // of a tile of queries: [kTileRows][kColumns]
  E* slope_rows_;                // the same of dS where `slopes_` has pairs
  E *weights_, *slopes_;         // of a block of queries: [query][kColumns], or pairs of queries
};

}  // namespace ipai::IPAI_TARGET
