// attention on CUDA: FlashAttention-2 (Dao 2023), bound by tensor cores and exponentials.
//
// A block takes some queries of one head; keys and values come to it in turn (KeyRing). On compute capability
// 9.0, heads of the UNet and of CLIP's image encoder are multiplied by warpgroups (attention_groups.h).
// Elsewhere a block is 4 warps of 16 or 32 queries each: exponentials are the narrower way with heads of 40,
// as a multiprocessor makes 16 of them per cycle, and one costs 160 operations of tensor cores. Hence 3 warps
// for each scheduler there, so that one's products run beside another's exponentials.
//
// Masks, and what causality hides, cost instructions for each score: kernels that look for them take 16 keys
// at a time and are instances of their own. What the tensor cores do not take, float32 and heads of other
// sizes, is attention_any_head.h's.
#include "cuda/attention_any_head.h"
#include "cuda/attention_groups.h"
#include "cuda/attention_key_ring.h"
#include "cuda/attention_operands.h"
#include "cuda/attention_plan.h"
#include "cuda/attention_sliced_head.h"
#include "cuda/attention_split_keys.h"
#include "cuda/attention_state.h"
#include "cuda/grid.h"
#include "cuda/with_element.h"
#include "ops/attention/op.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
namespace {

// So many keys a block's warps do not share: decoupled_attention does not either, and a sample without an
// image is to get the bits of attention from it.
constexpr int kFewKeys = 256;

enum class Masking { kNone, kSome };

// Of 16 keys from `first_key` on.
template <int kTiles, class T>
__device__ void mask_scores(const AttentionOperands<T>& x, const AttentionMask& mask, int sample,
                            int first_query, int first_key, Scores<kTiles, 16>& scores) {
#pragma unroll
  for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const int query = first_query + tile * kTileQueries + i / 2 % 2 * 8 + lane_index() / 4;
      const int key = first_key + i / 4 * 8 + lane_index() % 4 * 2 + i % 2;
      float& score = scores[tile][i / 4][i % 4];
      score = masked_score(score * x.factor.magnitude, x.keys, mask, sample, min(query, x.queries - 1), key);
    }
  }
}

template <class T, int kHead, TileWidth kWidth, Masking kMasking>
__global__ void __launch_bounds__(kAttentionThreads, kAttentionPlan<kHead, kWidth>.blocks)
    attention_query_tiles(const AttentionOperands<T> x, const AttentionMask mask) {
  constexpr AttentionPlan kPlan = kAttentionPlan<kHead, kWidth>;
  constexpr int kQueries = kPlan.tiles * kTileQueries;  // of a warp
  T* const shared = reinterpret_cast<T*>(dynamic_shared());
  T* const own_rows = shared + warp_index() * kQueries * kHead;
  const AttentionPlace place = attention_place(x.blocks_per_head, x.heads);
  const auto rows_of = [&](auto* tensor, int count) {
    return head_rows<kHead>(tensor, count, x.heads, place.sample, place.head);
  };
  const int first_of_block = place.block * kAttentionWarps * kQueries;
  const int first_query = first_of_block + warp_index() * kQueries;

  copy_rows_async<kHead, kAttentionThreads>(shared, rows_of(x.q, x.queries), first_of_block,
                                            kAttentionWarps * kQueries, static_cast<int>(threadIdx.x));
  commit_copies();
  int keys = x.keys;  // that the block needs, and below, the warp
  if (kMasking == Masking::kSome && mask.causal) {
    keys = min(keys, first_of_block + kAttentionWarps * kQueries);
  }
  KeyRing<T, kHead, kPlan.keys, kPlan.stages, kAttentionThreads> ring(
      shared + kAttentionWarps * kQueries * kHead, rows_of(x.k, x.keys), rows_of(x.v, x.keys), keys);
  wait_copies<kPlan.stages - 1>();
  __syncthreads();  // the queries have come for all threads
  QueryFragments<T, kHead, kPlan.tiles> queries;
  queries.load(own_rows, x.factor);

  int own_keys = first_query < x.queries ? keys : 0;
  if (kMasking == Masking::kSome && mask.causal) own_keys = min(own_keys, first_query + kQueries);
  const int not_own = keys - own_keys;
  AttentionState<T, kHead, kPlan.tiles> state;
  state.begin();
  for (int left = ring.left(); left > 0; left = ring.left()) {
    const T* const block_keys = ring.next();
    const T* const block_values = block_keys + kPlan.keys * kHead;
    if constexpr (kMasking == Masking::kNone) {
      attend_keys<kPlan.keys>(queries, state, block_keys, block_values, left - not_own, x.factor.magnitude);
    } else {
      for (int step = 0; step < min(kPlan.keys, left - not_own); step += 16) {
        Scores<kPlan.tiles, 16> scores;
        queries.template multiply<16>(block_keys + step * kHead, scores);
        mask_scores<kPlan.tiles>(x, mask, place.sample, first_query, keys - left + step, scores);
        state.template attend<16>(scores, 1, block_values + step * kHead);
      }
    }
  }
  state.finish(1);
  state.store(own_rows);
  __syncwarp();
  write_rows<kHead, kQueries>(own_rows, rows_of(x.output, x.queries), first_query);
}

template <class T, int kHead, TileWidth kWidth, Masking kMasking>
void record_tiles(AttentionOperands<T> x, const AttentionMask& mask, int64_t samples, CudaEncoder& encoder) {
  constexpr AttentionPlan kPlan = kAttentionPlan<kHead, kWidth>;
  constexpr int kQueries = kAttentionWarps * kPlan.tiles * kTileQueries;
  constexpr size_t kShared = sizeof(T) * kHead * (kQueries + kPlan.stages * 2 * kPlan.keys);
  static_assert(kShared <= kSharedBytesOfAnyDevice, "plans fit every device");
  x.blocks_per_head = static_cast<int>(ceil_divide(x.queries, kQueries));
  const LaunchShape shape = {blocks_for(samples * x.heads * x.blocks_per_head, 1), kAttentionThreads,
                             kShared};
  constexpr const char* kName = kMasking == Masking::kSome   ? "attention_masked"
                                : kWidth == TileWidth::kWide ? "attention_wide"
                                                             : "attention_narrow";
  encoder.launch(kName, attention_query_tiles<T, kHead, kWidth, kMasking>, shape, x, mask);
}

// With the shape of that index of its head's.
template <class T, int kHead, int kIndex>
struct ByGroups {
  static constexpr GroupShape kShape = kGroupShapes<kHead>[kIndex];
  static constexpr bool kApart = kShape.copiers > 0;
  using Ring = GroupKeyRing<T, kHead, kGroupKeys, kApart ? kShape.copiers : kShape.threads(),
                            kApart ? kShape.groups * kGroupThreads : 0>;
};

// Compute capability 9.0.
template <class T, int kHead, int kIndex>
__global__ void __launch_bounds__(kGroupShapes<kHead>[kIndex].threads(), kGroupShapes<kHead>[kIndex].blocks)
    attention_by_groups(const AttentionOperands<T> x) {
  if constexpr (kHasGroupProducts) {
    using By = ByGroups<T, kHead, kIndex>;
    constexpr int kQueries = By::kShape.queries();
    T* const shared = reinterpret_cast<T*>(shared_matrices());
    T* const ring_memory = shared + kQueries * kHead;
    const AttentionPlace place = attention_place(x.blocks_per_head, x.heads);
    const auto rows_of = [&](auto* tensor, int count) {
      return head_rows<kHead>(tensor, count, x.heads, place.sample, place.head);
    };
    const int first_query = place.block * kQueries, thread = static_cast<int>(threadIdx.x);

    copy_rows_async<kHead, By::kShape.threads()>(shared, rows_of(x.q, x.queries), first_query, kQueries,
                                                 thread);
    commit_copies();
    clear_half_steps<kHead, kGroupKeys>(ring_memory, kGroupStages<kHead>);
    typename By::Ring ring(ring_memory, rows_of(x.k, x.keys), rows_of(x.v, x.keys), x.keys);
    wait_copies<By::Ring::kAhead>();
    __syncthreads();  // the queries have come for all threads
    if (By::kApart && thread >= By::kShape.groups * kGroupThreads) {
      while (ring.left() > 0) ring.next();
      return;
    }
    const int own_row = warp_index() * kTileQueries;
    T* const own_rows = shared + own_row * kHead;
    QueryFragments<T, kHead, 1> queries;
    queries.load(own_rows, x.factor);
    AttentionState<T, kHead, 1> state;
    state.begin();
    attend_ring(ring, queries, x.factor.magnitude, state);
    state.finish(1);
    state.store(own_rows);
    __syncwarp();
    write_rows<kHead, kTileQueries>(own_rows, rows_of(x.output, x.queries), first_query + own_row);
  }
}

template <class T, int kHead, int kIndex = 0>
void record_groups(AttentionOperands<T> x, int64_t samples, CudaEncoder& encoder) {
  using By = ByGroups<T, kHead, kIndex>;
  constexpr size_t kShared = sizeof(T) * (By::kShape.queries() * kHead + By::Ring::kElements);
  const int64_t blocks_per_head = ceil_divide(x.queries, By::kShape.queries());
  const int64_t blocks = samples * x.heads * blocks_per_head;
  if constexpr (kIndex + 1 < kGroupShapes<kHead>.size()) {
    const bool leaves_idle = 10 * blocks < 9 * encoder.device().multiprocessors;
    if (leaves_idle) return record_groups<T, kHead, kIndex + 1>(x, samples, encoder);
  }
  x.blocks_per_head = static_cast<int>(blocks_per_head);
  encoder.launch("attention_by_groups", attention_by_groups<T, kHead, kIndex>,
                 {blocks_for(blocks, 1), By::kShape.threads(), kShared}, x);
}

template <class T, int kHead>
void record_split_keys(AttentionOperands<T> x, int64_t samples, CudaEncoder& encoder) {
  x.blocks_per_head = 1;
  const LaunchShape shape = {blocks_for(samples * x.heads, 1), kAttentionThreads,
                             sizeof(typename SplitKeys<T, kHead>::Shared)};
  encoder.launch("attention_split_keys", attention_split_keys<T, kHead>, shape, x);
}

template <class T, int kHead>
void record_head(const AttentionOperands<T>& x, const AttentionMask& mask, int64_t samples,
                 CudaEncoder& encoder) {
  if (mask.causal || mask.added != nullptr) {
    return record_tiles<T, kHead, TileWidth::kNarrow, Masking::kSome>(x, mask, samples, encoder);
  }
  if (x.queries <= kTileQueries && x.keys > kFewKeys) {
    return record_split_keys<T, kHead>(x, samples, encoder);
  }
  if constexpr (kHasGroupShapes<kHead>) {
    if (has_group_products(encoder.device())) return record_groups<T, kHead>(x, samples, encoder);
  }
  if constexpr (has_wide_plan(kHead)) {
    if (prefers_wide(attention_plans(kHead), samples * x.heads, x.queries,
                     encoder.device().multiprocessors)) {
      return record_tiles<T, kHead, TileWidth::kWide, Masking::kNone>(x, mask, samples, encoder);
    }
  }
  record_tiles<T, kHead, TileWidth::kNarrow, Masking::kNone>(x, mask, samples, encoder);
}

template <class T>
void record_sliced_head(AttentionOperands<T> x, const AttentionMask& mask, int64_t samples,
                        CudaEncoder& encoder) {
  using Sizes = SlicedHead<T>;
  x.blocks_per_head = static_cast<int>(ceil_divide(x.queries, Sizes::kQueries));
  const LaunchShape shape = {blocks_for(samples * x.heads * x.blocks_per_head, 1), Sizes::kWarps * kWarpSize,
                             sizeof(typename Sizes::Shared)};
  encoder.launch("attention_sliced_head", attention_sliced_head<T>, shape, x, mask);
}

template <class T>
void record_on_tensor_cores(const Attention& attributes, const NodeView& node, const AttentionMask& mask,
                            CudaEncoder& encoder) {
  const TensorView& q = node.input(Attention::kQ);
  const TensorView& k = node.input(Attention::kK);
  const AttentionOperands<T> x = {q.as<const T>(),
                                  k.as<const T>(),
                                  node.input(Attention::kV).as<const T>(),
                                  node.output().as<T>(),
                                  static_cast<int>(q.shape[1]),
                                  static_cast<int>(k.shape[1]),
                                  static_cast<int>(attributes.heads),
                                  ScoreFactor::of(attributes.scale),
                                  0};
  const int64_t head_size = q.shape[2] / attributes.heads;
  if (head_size == kSlicedHead) return record_sliced_head(x, mask, q.shape[0], encoder);
  with_head_size(head_size,
                 [&](auto head) { record_head<T, decltype(head)::value>(x, mask, q.shape[0], encoder); });
}

template <class T>
void record_any_head(const Attention& attributes, const NodeView& node, const AttentionMask& mask,
                     CudaEncoder& encoder) {
  const TensorView& q = node.input(Attention::kQ);
  const TensorView& k = node.input(Attention::kK);
  AnyHeadOperands<T> x = {};
  x.q = q.as<const T>();
  x.output = node.output().as<T>();
  x.queries = static_cast<int>(q.shape[1]);
  x.heads = static_cast<int>(attributes.heads);
  x.channels = static_cast<int>(q.shape[2]) / x.heads;
  x.factor = attributes.scale * kLog2E;
  x.mask = mask;
  x.sets[0] = {k.as<const T>(), node.input(Attention::kV).as<const T>(), static_cast<int>(k.shape[1]),
               nullptr};
  x.set_count = 1;
  record_attention_any_head(x, q.shape[0], encoder);
}

void record(const Attention& attributes, const NodeView& node, CudaEncoder& encoder) {
  const TensorView& q = node.input(Attention::kQ);
  const AttentionMask mask = mask_of(node.input(Attention::kMask), attributes.causal);
  const int64_t head_size = q.shape[2] / attributes.heads;
  with_element(q.dtype, [&](auto element) {
    using T = decltype(element);
    if constexpr (!std::is_same_v<T, float>) {
      if (has_attention_plan(head_size) || head_size == kSlicedHead) {
        return record_on_tensor_cores<T>(attributes, node, mask, encoder);
      }
    }
    record_any_head<T>(attributes, node, mask, encoder);
  });
}

std::string validate(const Attention& attributes, const NodeTypes& types) {
  const std::string error = Attention::validate(attributes, types);
  return error.empty() ? check_head_size(types.inputs[Attention::kQ], attributes.heads, kLargestHead) : error;
}

}  // namespace

namespace ops {
Op attention() {
  CudaOpSpec<Attention> spec;
  spec.in_place_inputs = {Attention::kQ};
  spec.validate = validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
