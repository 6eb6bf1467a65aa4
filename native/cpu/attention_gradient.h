// Gradients of one head's attention. With P = softmax(S), S = scale · Q·Kᵀ + mask, O = P·V and the gradient G
// of O:
//
//   dV = Pᵀ·G,  dS = P ∘ (G·Vᵀ - rowsum(G ∘ O)),  dQ = scale · dS·K,  dK = scale · dSᵀ·Q
//
// (Dao et al. 2022, FlashAttention, appendix B.2). A first pass takes each query's softmax apart into the
// logarithm of its sum; then columns of keys (a panel of the micro-kernel) meet all queries, some hundred at
// a time.
//
// Floor: 6 products of 2·Nq·Nk·D operations, one of them for the first pass, and two exponentials for each
// score.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/convert.h"
#include "cpu/math.h"
#include "cpu/micro_kernel.h"

namespace ipai::IPAI_TARGET {

struct AttentionGradientShape {
  static constexpr int64_t kColumns = kTileColumns;
  static constexpr int64_t kBlockQueries = 16 * kTileRows;  // whose scores stay in the L1 and L2

  int64_t queries, keys, head_size;

  static int64_t panels(int64_t columns) { return (columns + kColumns - 1) / kColumns; }
  int64_t key_panels() const { return panels(keys); }
  int64_t channel_panels() const { return panels(head_size); }
  int64_t block() const { return std::min(kBlockQueries, queries); }
  // What one head needs, in floats.
  int64_t scratch_floats() const {
    const int64_t rows = 2 * queries * head_size;                         // q, gradient
    const int64_t columns = 2 * queries * head_size;                      // the same, transposed
    const int64_t keys_across = 2 * key_panels() * kColumns * head_size;  // k, v: [panel][channel][column]
    const int64_t keys_along = key_panels() * channel_panels() * kColumns * kColumns;
    const int64_t dq = channel_panels() * queries * kColumns;
    const int64_t dk_dv = 2 * head_size * kColumns;
    const int64_t scores = std::max(2 * block(), kTileRows * key_panels()) * kColumns;
    return rows + columns + keys_across + keys_along + dq + dk_dv + scores + 2 * queries;
  }
};

// mask(query, key) is what stands beside the scaled score: a number, or -infinity.
template <class T, class Mask>
class AttentionGradientHead {
 public:
  using Shape = AttentionGradientShape;
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
    q_ = take(s_.queries * s_.head_size);
    g_ = take(s_.queries * s_.head_size);
    q_columns_ = take(s_.queries * s_.head_size);
    g_columns_ = take(s_.queries * s_.head_size);
    k_across_ = take(s_.key_panels() * kColumns * s_.head_size);
    v_across_ = take(s_.key_panels() * kColumns * s_.head_size);
    k_along_ = take(s_.key_panels() * s_.channel_panels() * kColumns * kColumns);
    dq_ = take(s_.channel_panels() * s_.queries * kColumns);
    dk_ = take(s_.head_size * kColumns);
    dv_ = take(s_.head_size * kColumns);
    logs_ = take(s_.queries);
    dots_ = take(s_.queries);
    scores_ = scratch;
  }

  void run() {
    load_queries();
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
      for (int64_t d = 0; d < s_.head_size; ++d) {
        const float value = dq_[(d / kColumns * s_.queries + query) * kColumns + d % kColumns];
        store_scalar(o_.dq + query * o_.stride + d, value);
      }
    }
  }

 private:
  void load_queries() {
    for (int64_t query = 0; query < s_.queries; ++query) {
      float* const q = q_ + query * s_.head_size;
      float* const g = g_ + query * s_.head_size;
      convert<T>(o_.q + query * o_.stride, q, s_.head_size);
      convert<T>(o_.gradient + query * o_.stride, g, s_.head_size);
      float dot = 0;
      for (int64_t d = 0; d < s_.head_size; ++d) {
        q_columns_[d * s_.queries + query] = q[d];
        g_columns_[d * s_.queries + query] = g[d];
        dot += g[d] * to_float(o_.output[query * o_.stride + d]);
      }
      dots_[query] = dot;
    }
  }

  // Columns beyond the keys, and channels beyond the head, are 0.
  void load_keys() {
    std::fill_n(k_across_, 2 * s_.key_panels() * kColumns * s_.head_size, 0.0f);
    std::fill_n(k_along_, s_.key_panels() * s_.channel_panels() * kColumns * kColumns, 0.0f);
    for (int64_t key = 0; key < s_.keys; ++key) {
      const int64_t panel = key / kColumns, column = key % kColumns;
      for (int64_t d = 0; d < s_.head_size; ++d) {
        const int64_t across = (panel * s_.head_size + d) * kColumns + column;
        const float k = to_float(o_.k[key * o_.stride + d]);
        k_across_[across] = k;
        v_across_[across] = to_float(o_.v[key * o_.stride + d]);
        k_along_[((panel * s_.channel_panels() + d / kColumns) * kColumns + column) * kColumns +
                 d % kColumns] = k;
      }
    }
  }

  // Scores, in base 2, of some queries and the keys of a panel, to `target` [rows][kColumns].
  void score(int64_t query, int rows, int64_t panel, float* target) const {
    const float* const across = k_across_ + panel * s_.head_size * kColumns;
    micro_kernel<float>(rows, kTileVecs)(q_ + query * s_.head_size, s_.head_size, across, s_.head_size,
                                         target, false);
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
          for (int64_t i = 0; i < kColumns; i += Vec::kLanes) body(Vec::load(row + i));
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
    float* const weights = scores_;
    float* const slopes = scores_ + count * kColumns;
    const float* const values = v_across_ + panel * s_.head_size * kColumns;
    for (int64_t first = 0; first < count; first += kTileRows) {
      const auto rows = static_cast<int>(std::min<int64_t>(kTileRows, count - first));
      float* const p = weights + first * kColumns;
      float* const ds = slopes + first * kColumns;
      score(query + first, rows, panel, p);
      micro_kernel<float>(rows, kTileVecs)(g_ + (query + first) * s_.head_size, s_.head_size, values,
                                           s_.head_size, ds, false);
      for (int r = 0; r < rows; ++r) weigh(query + first + r, p + r * kColumns, ds + r * kColumns);
      for (int64_t part = 0; part < s_.channel_panels(); ++part) {
        const float* const keys = k_along_ + (panel * s_.channel_panels() + part) * kColumns * kColumns;
        float* const dq = dq_ + (part * s_.queries + query + first) * kColumns;
        micro_kernel<float>(rows, kTileVecs)(ds, kColumns, keys, kColumns, dq, true);
      }
    }
    add_columns(q_columns_ + query, slopes, count, query > 0, dk_);
    add_columns(g_columns_ + query, weights, count, query > 0, dv_);
  }

  // Scores become weights, and gradients of weights those of scores.
  void weigh(int64_t query, float* p, float* ds) const {
    const Vec log = Vec::broadcast(logs_[query]), dot = Vec::broadcast(dots_[query]);
    const Vec scale = Vec::broadcast(scale_);
    for (int64_t i = 0; i < kColumns; i += Vec::kLanes) {
      const Vec weight = exp2(Vec::load(p + i) - log);
      weight.store(p + i);
      (weight * (Vec::load(ds + i) - dot) * scale).store(ds + i);
    }
  }

  // target [head_size][kColumns] = (or +=) rows of `columns` [head_size][queries] times `right`
  // [count][kColumns].
  void add_columns(const float* columns, const float* right, int64_t count, bool accumulate,
                   float* target) const {
    for (int64_t d = 0; d < s_.head_size; d += kTileRows) {
      const auto rows = static_cast<int>(std::min<int64_t>(kTileRows, s_.head_size - d));
      micro_kernel<float>(rows, kTileVecs)(columns + d * s_.queries, s_.queries, right, count,
                                           target + d * kColumns, accumulate);
    }
  }

  void store_columns(const float* columns, int64_t panel, T* target) const {
    const int64_t first = panel * kColumns;
    for (int64_t i = 0; i < std::min(kColumns, s_.keys - first); ++i) {
      for (int64_t d = 0; d < s_.head_size; ++d) {
        store_scalar(target + (first + i) * o_.stride + d, columns[d * kColumns + i]);
      }
    }
  }

  const Shape s_;
  const float scale_;
  const Operands o_;
  const Mask mask_;
  float *q_, *g_;                  // [queries][head_size]
  float *q_columns_, *g_columns_;  // [head_size][queries]
  float *k_across_, *v_across_;    // [panel][head_size][kColumns]
  float* k_along_;                 // [panel][channel panel][key][channel]
  float* dq_;                      // [channel panel][queries][kColumns]
  float *dk_, *dv_;                // of a panel of keys: [head_size][kColumns]
  float* logs_;                    // log2 of each query's sum
  float* dots_;                    // rowsum(G ∘ O)
  float* scores_;
};

}  // namespace ipai::IPAI_TARGET
