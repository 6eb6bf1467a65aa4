// Where the heads of attention's operands lie, and how they are cut into tasks. Queries, keys and values are
// [batch, tokens, heads · head size]: a head is a range of channels.
#pragma once

#include <algorithm>

#include "runtime/tensor_view.h"

namespace ipai {

// The tasks of an attention: some of one head's queries each, neighbours sharing keys. A head's queries are
// cut into as few tiles of at most `max_queries` as they need, of about equal size in whole vectors of
// `lanes`. How they are cut changes no query's result.
class AttentionTasks {
 public:
  struct Task {
    int64_t sample;
    int64_t head;
    int64_t first_query;
    int queries;
  };

  AttentionTasks(const Shape& q, int64_t heads, int max_queries, int lanes)
      : samples_(q[0]), queries_(q[1]), heads_(heads) {
    const int64_t vecs = (queries_ + lanes - 1) / lanes;
    const int64_t max_vecs = max_queries / lanes;
    tiles_ = (vecs + max_vecs - 1) / max_vecs;
    tile_ = (vecs + tiles_ - 1) / tiles_ * lanes;
    tiles_ = (queries_ + tile_ - 1) / tile_;
  }

  int64_t count() const { return samples_ * heads_ * tiles_; }
  Task task(int64_t index) const {
    const int64_t head = index / tiles_;
    const int64_t first = index % tiles_ * tile_;
    return {head / heads_, head % heads_, first, static_cast<int>(std::min(tile_, queries_ - first))};
  }

 private:
  int64_t samples_, queries_, heads_, tile_, tiles_;
};

// The element of [batch, tokens, channels] where a head of one token begins.
template <class T>
T* head_begin(T* data, const Shape& shape, int64_t sample, int64_t token, int64_t head, int64_t heads) {
  return data + (sample * shape[1] + token) * shape[2] + head * (shape[2] / heads);
}

}  // namespace ipai
