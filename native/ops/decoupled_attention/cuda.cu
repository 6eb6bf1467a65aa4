// decoupled_attention on CUDA: bound by memory, or where batches are small, by the launch. Queries are read
// once and results written once.
//
// A block holds keys and values of both sets, of one head of one sample, in shared memory, and walks over
// tiles of queries; a tile's queries come while the block is busy with the one before. The text's part is
// that of attention, step by step, so that without an image (image_scale 0) bits are attention's; the
// image's is added to it (attention_second_set.h). On compute capability 9.0, heads of the UNet are
// multiplied by warpgroups (attention_groups.h), others and elsewhere by warps, 16 queries at a time.
//
// Where a set has more keys than one block of a warpgroup's, or both are too large for the device's shared
// memory (hundreds of keys, long heads), keys come one block after the other, as in attention, and the
// image's twice. What the tensor cores do not take, float32 and heads of other sizes, is
// attention_any_head.h's.
#include <algorithm>

#include "cuda/attention_any_head.h"
#include "cuda/attention_groups.h"
#include "cuda/attention_key_ring.h"
#include "cuda/attention_operands.h"
#include "cuda/attention_plan.h"
#include "cuda/attention_second_set.h"
#include "cuda/grid.h"
#include "cuda/with_element.h"
#include "ops/decoupled_attention/op.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
namespace {

template <class T>
struct KeySet {
  const T* k;
  const T* v;
  int count;
};

template <class T>
struct Operands {
  const T* q;
  T* output;  // may be q: a warp reads its queries before it writes their results, and nobody else's
  KeySet<T> text;
  KeySet<T> image;
  const float* image_scale;
  int queries;
  int heads;
  ScoreFactor factor;
  int blocks_per_head;
};

// Warps of a block and blocks of a multiprocessor. With heads of 160, 77 and 16 keys take 60 KB and a warp
// 10 KB, and the models have few queries: small blocks spread these over more multiprocessors.
template <int kHead>
constexpr int kResidentWarps = kHead > 128 ? 2 : 4;
template <int kHead>
constexpr int kResidentBlocks = kHead <= 40   ? 4
                                : kHead <= 80 ? 3
                                              : 2;

__host__ __device__ constexpr int padded(int keys) {
  return (keys + 15) / 16 * 16;
}

template <int kHead, int kThreads, class T>
__device__ void copy_key_set(T* target, const KeySet<T>& set, int heads, const AttentionPlace& place) {
  const int thread = static_cast<int>(threadIdx.x), rows = padded(set.count);
  copy_rows_async<kHead, kThreads>(
      target, head_rows<kHead>(set.k, set.count, heads, place.sample, place.head), 0, rows, thread);
  copy_rows_async<kHead, kThreads>(target + rows * kHead,
                                   head_rows<kHead>(set.v, set.count, heads, place.sample, place.head), 0,
                                   rows, thread);
}

template <class T, int kHead>
__global__ void __launch_bounds__(kResidentWarps<kHead>* kWarpSize, kResidentBlocks<kHead>)
    decoupled_attention_resident(const Operands<T> x) {
  constexpr int kWarps = kResidentWarps<kHead>;
  constexpr int kTile = kTileQueries * kHead;
  constexpr int kKeys = kAttentionPlan<kHead, TileWidth::kNarrow>.keys;
  T* const text_keys = reinterpret_cast<T*>(dynamic_shared());
  T* const text_values = text_keys + padded(x.text.count) * kHead;
  T* const image_keys = text_values + padded(x.text.count) * kHead;
  T* const image_values = image_keys + padded(x.image.count) * kHead;
  T* const own_queries = image_values + padded(x.image.count) * kHead + warp_index() * 2 * kTile;
  T* const own_results = own_queries + kTile;
  const AttentionPlace place = attention_place(x.blocks_per_head, x.heads);
  const auto query_rows = head_rows<kHead>(x.q, x.queries, x.heads, place.sample, place.head);
  const auto result_rows = head_rows<kHead>(x.output, x.queries, x.heads, place.sample, place.head);
  const float image_scale = x.image_scale[place.sample], factor = x.factor.magnitude;
  const int step = x.blocks_per_head * kWarps * kTileQueries;
  int first_query = (place.block * kWarps + warp_index()) * kTileQueries;

  copy_rows_async<kHead, kWarpSize>(own_queries, query_rows, first_query, kTileQueries, lane_index());
  copy_key_set<kHead, kWarps * kWarpSize>(text_keys, x.text, x.heads, place);
  copy_key_set<kHead, kWarps * kWarpSize>(image_keys, x.image, x.heads, place);
  commit_copies();
  wait_copies<0>();
  __syncthreads();  // both sets have come for all threads
  for (; first_query < x.queries; first_query += step) {
    wait_copies<0>();
    __syncwarp();  // the queries have come for all lanes, and results of the tile before are written
    QueryFragments<T, kHead, 1> queries;
    queries.load(own_queries, x.factor);
    __syncwarp();  // all lanes have theirs before the next tile's arrive
    if (first_query + step < x.queries) {
      copy_rows_async<kHead, kWarpSize>(own_queries, query_rows, first_query + step, kTileQueries,
                                        lane_index());
    }
    commit_copies();
    AttentionState<T, kHead, 1> state;
    state.begin();
    for (int first = 0; first < x.text.count; first += kKeys) {
      attend_keys<kKeys>(queries, state, text_keys + first * kHead, text_values + first * kHead,
                         x.text.count - first, factor);
    }
    state.finish(1);
    if (image_scale != 0) {
      SecondSet<T, kHead> image;
      image.measure(queries, image_keys, x.image.count, factor);
      image.finish(image_scale);
      image.add(queries, image_keys, image_values, x.image.count, factor, state);
    }
    state.store(own_results);
    __syncwarp();
    write_rows<kHead, kTileQueries>(own_results, result_rows, first_query);
  }
}

// attend(keys, values, count) for all blocks of keys of a set. All threads of the block, in step.
template <int kHead, class T, class Attend>
__device__ void stream_key_set(T* memory, const KeySet<T>& set, int heads, const AttentionPlace& place,
                               const Attend& attend) {
  constexpr AttentionPlan kPlan = kAttentionPlan<kHead, TileWidth::kNarrow>;
  KeyRing<T, kHead, kPlan.keys, kPlan.stages, kAttentionThreads> ring(
      memory, head_rows<kHead>(set.k, set.count, heads, place.sample, place.head),
      head_rows<kHead>(set.v, set.count, heads, place.sample, place.head), set.count);
  for (int left = ring.left(); left > 0; left = ring.left()) {
    const T* const keys = ring.next();
    attend(keys, keys + kPlan.keys * kHead, min(kPlan.keys, left));
  }
  __syncthreads();  // all warps are through with the last keys before others take their place
}

template <class T, int kHead>
__global__ void __launch_bounds__(kAttentionThreads, kAttentionPlan<kHead, TileWidth::kNarrow>.blocks)
    decoupled_attention_streaming(const Operands<T> x) {
  constexpr int kTile = kTileQueries * kHead;
  T* const own_rows = reinterpret_cast<T*>(dynamic_shared()) + warp_index() * kTile;
  T* const ring_memory = reinterpret_cast<T*>(dynamic_shared()) + kAttentionWarps * kTile;
  const AttentionPlace place = attention_place(x.blocks_per_head, x.heads);
  const int first_query = (place.block * kAttentionWarps + warp_index()) * kTileQueries;
  const float image_scale = x.image_scale[place.sample], factor = x.factor.magnitude;

  copy_rows_async<kHead, kWarpSize>(own_rows,
                                    head_rows<kHead>(x.q, x.queries, x.heads, place.sample, place.head),
                                    first_query, kTileQueries, lane_index());
  commit_copies();
  wait_copies<0>();
  __syncwarp();  // the queries have come for all lanes
  QueryFragments<T, kHead, 1> queries;
  queries.load(own_rows, x.factor);
  AttentionState<T, kHead, 1> state;
  state.begin();
  stream_key_set<kHead>(ring_memory, x.text, x.heads, place, [&](const T* keys, const T* values, int count) {
    attend_keys<kAttentionPlan<kHead, TileWidth::kNarrow>.keys>(queries, state, keys, values, count, factor);
  });
  state.finish(1);
  if (image_scale != 0) {
    SecondSet<T, kHead> image;
    stream_key_set<kHead>(ring_memory, x.image, x.heads, place, [&](const T* keys, const T*, int count) {
      image.measure(queries, keys, count, factor);
    });
    image.finish(image_scale);
    stream_key_set<kHead>(ring_memory, x.image, x.heads, place,
                          [&](const T* keys, const T* values, int count) {
                            image.add(queries, keys, values, count, factor, state);
                          });
  }
  state.store(own_rows);
  __syncwarp();
  write_rows<kHead, kTileQueries>(
      own_rows, head_rows<kHead>(x.output, x.queries, x.heads, place.sample, place.head), first_query);
}

// Keys of the image that a group takes at a time: an adapter's 16 queries make as many.
constexpr int kImageKeys = 16;

// Warpgroups of a block, and blocks of a multiprocessor.
template <int kHead>
constexpr int kGroups = kHead > 80 ? 1 : 2;
template <int kHead>
constexpr int kGroupBlocks = kHead == 80 ? 1 : 2;

template <class T, int kHead>
struct GroupRings {
  static constexpr int kThreads = kGroups<kHead> * kGroupThreads;
  using Text = GroupKeyRing<T, kHead, kGroupKeys, kThreads>;
  using Image = GroupKeyRing<T, kHead, kImageKeys, kThreads>;

  // Of a ring, that `count` keys take.
  __host__ __device__ static int stages(int count, int block) {
    const int blocks = (count + block - 1) / block;
    return blocks < kGroupStages<kHead> ? blocks : kGroupStages<kHead>;
  }
};

// Adds the attention to the image's keys to finished sums. `ring` has them all, and what `again()` returns
// has them once more.
template <class Ring, class Again, class T, int kHead>
__device__ void add_image(Ring ring, const Again& again, float factor, float image_scale,
                          const QueryFragments<T, kHead, 1>& queries, AttentionState<T, kHead, 1>& state) {
  SecondSet<T, kHead> image;
  Scores<1, kImageKeys> scores;
  const auto score = [&](const T* keys, int count) {
    begin_group_products();
    begin_scores<kImageKeys>(queries, keys, scores);
    finish_group_products(scores[0]);
    if (count < kImageKeys) hide_keys(scores, count);
  };
  for (int left = ring.left(); left > 0; left = ring.left()) {
    score(ring.next(), left);
    image.measure(scores, factor);
  }
  image.finish(image_scale);
  Ring second = again();
  for (int left = second.left(); left > 0; left = second.left()) {
    const T* const keys = second.next();
    score(keys, left);
    WeightFragments<1, kImageKeys> weights;
    image.weigh(scores, factor, weights[0][0]);
    begin_group_products();
    begin_sums<kImageKeys>(weights, keys + Ring::kTokenElements, state);
    finish_group_products(state.sums[0]);
  }
}

// Compute capability 9.0: a group takes 64 queries at a time. kHeld: of each set there is one block of keys,
// as of a text and an image; both stay in shared memory while the groups walk over queries, of which the next
// ones come while they are busy. Otherwise keys come in turn, for one tile of queries of each group.
template <class T, int kHead, bool kHeld>
__global__ void __launch_bounds__(GroupRings<T, kHead>::kThreads, kGroupBlocks<kHead>)
    decoupled_attention_by_groups(const Operands<T> x, int first_of_image, int first_of_queries) {
  if constexpr (kHasGroupProducts) {
    using Rings = GroupRings<T, kHead>;
    constexpr int kTile = kTileQueries * kHead;
    constexpr int kQueries = kGroups<kHead> * kGroupRows;
    T* const text_memory = reinterpret_cast<T*>(shared_matrices());
    T* const image_memory = text_memory + first_of_image;
    T* const own_queries = text_memory + first_of_queries + warp_index() * 2 * kTile;
    T* const own_results = own_queries + kTile;
    const AttentionPlace place = attention_place(x.blocks_per_head, x.heads);
    const auto rows_of = [&](auto* tensor, int count) {
      return head_rows<kHead>(tensor, count, x.heads, place.sample, place.head);
    };
    const auto copy_queries = [&](int first) {
      if (first < x.queries) {
        copy_rows_async<kHead, kWarpSize>(own_queries, rows_of(x.q, x.queries), first, kTileQueries,
                                          lane_index());
      }
      commit_copies();
    };
    const auto image_ring = [&] {
      // All warps are through with the keys whose place the image's take.
      if constexpr (!kHeld) __syncthreads();
      clear_half_steps<kHead, kImageKeys>(image_memory, Rings::stages(x.image.count, kImageKeys));
      return typename Rings::Image(image_memory, rows_of(x.image.k, x.image.count),
                                   rows_of(x.image.v, x.image.count), x.image.count);
    };
    const float image_scale = x.image_scale[place.sample], factor = x.factor.magnitude;
    const int step = x.blocks_per_head * kQueries;
    // All warps of a block take as many turns: products are their group's, barriers the block's.
    const int first_row = place.block * kQueries, own_row = warp_index() * kTileQueries;

    copy_queries(first_row + own_row);
    clear_half_steps<kHead, kGroupKeys>(text_memory, Rings::stages(x.text.count, kGroupKeys));
    typename Rings::Text text(text_memory, rows_of(x.text.k, x.text.count), rows_of(x.text.v, x.text.count),
                              x.text.count);
    const T* const text_keys = kHeld ? text.next() : nullptr;
    const T* const image_keys = kHeld ? image_ring().next() : nullptr;
    int first = first_row;
    do {
      wait_copies<0>();
      __syncwarp();  // the queries have come for all lanes, and results of the tile before are written
      QueryFragments<T, kHead, 1> queries;
      queries.load(own_queries, x.factor);
      __syncwarp();  // all lanes have theirs before the next tile's arrive
      if (kHeld) copy_queries(first + step + own_row);
      AttentionState<T, kHead, 1> state;
      state.begin();
      if constexpr (kHeld) {
        HeldKeys<T, kHead, kGroupKeys> held(text_keys, x.text.count);
        attend_ring(held, queries, factor, state);
        state.finish(1);
        const auto held_image = [&] { return HeldKeys<T, kHead, kImageKeys>(image_keys, x.image.count); };
        if (image_scale != 0) add_image(held_image(), held_image, factor, image_scale, queries, state);
      } else {
        attend_ring(text, queries, factor, state);
        state.finish(1);
        if (image_scale != 0) add_image(image_ring(), image_ring, factor, image_scale, queries, state);
      }
      state.store(own_results);
      __syncwarp();
      write_rows<kHead, kTileQueries>(own_results, rows_of(x.output, x.queries), first + own_row);
      first += step;
    } while (kHeld && first < x.queries);
    wait_copies<0>();
  }
}

template <class T, int kHead>
void record_groups(Operands<T> x, int64_t samples, CudaEncoder& encoder) {
  using Rings = GroupRings<T, kHead>;
  constexpr int kQueries = kGroups<kHead> * kGroupRows;
  const bool held = x.text.count <= kGroupKeys && x.image.count <= kImageKeys;
  const auto heads = samples * x.heads;
  const int64_t most = ceil_divide(x.queries, kQueries);
  const int64_t wanted = encoder.device().multiprocessors * kGroupBlocks<kHead> / heads;
  x.blocks_per_head = static_cast<int>(held ? std::clamp<int64_t>(wanted, 1, most) : most);
  const int text = Rings::stages(x.text.count, kGroupKeys) * Rings::Text::kBlock;
  const int image = Rings::stages(x.image.count, kImageKeys) * Rings::Image::kBlock;
  // Keys that come in turn need no place before those of the other set are done.
  const int first_of_image = held ? text : 0;
  const int first_of_queries = std::max(text, first_of_image + image);
  const auto shared = sizeof(T) * static_cast<size_t>(first_of_queries + 2 * kQueries * kHead);
  const auto kernel =
      held ? decoupled_attention_by_groups<T, kHead, true> : decoupled_attention_by_groups<T, kHead, false>;
  encoder.launch("decoupled_attention_by_groups", kernel,
                 {blocks_for(heads * x.blocks_per_head, 1), Rings::kThreads, shared}, x, first_of_image,
                 first_of_queries);
}

template <class T, int kHead>
void record_head(Operands<T> x, int64_t samples, CudaEncoder& encoder) {
  if constexpr (kHasGroupShapes<kHead>) {
    if (has_group_products(encoder.device())) return record_groups<T, kHead>(x, samples, encoder);
  }
  constexpr int kWarps = kResidentWarps<kHead>;
  constexpr size_t kTokenBytes = sizeof(T) * kHead;
  const auto heads = samples * x.heads;
  const size_t resident =
      kTokenBytes *
      static_cast<size_t>(2 * (padded(x.text.count) + padded(x.image.count)) + kWarps * 2 * kTileQueries);
  if (resident <= encoder.device().shared_bytes_per_block) {
    // As many blocks as the device runs at a time, so that each brings its keys in once for many queries.
    const int64_t most = ceil_divide(x.queries, kWarps * kTileQueries);
    const int64_t wanted = encoder.device().multiprocessors * kResidentBlocks<kHead> / heads;
    x.blocks_per_head = static_cast<int>(std::clamp<int64_t>(wanted, 1, most));
    const LaunchShape shape = {blocks_for(heads * x.blocks_per_head, 1), kWarps * kWarpSize, resident};
    return encoder.launch("decoupled_attention_resident", decoupled_attention_resident<T, kHead>, shape, x);
  }
  constexpr AttentionPlan kPlan = kAttentionPlan<kHead, TileWidth::kNarrow>;
  constexpr int kQueries = kAttentionWarps * kTileQueries;
  constexpr size_t kStreaming = kTokenBytes * (kQueries + kPlan.stages * 2 * kPlan.keys);
  static_assert(kStreaming <= kSharedBytesOfAnyDevice, "plans fit every device");
  x.blocks_per_head = static_cast<int>(ceil_divide(x.queries, kQueries));
  const LaunchShape shape = {blocks_for(heads * x.blocks_per_head, 1), kAttentionThreads, kStreaming};
  encoder.launch("decoupled_attention_streaming", decoupled_attention_streaming<T, kHead>, shape, x);
}

template <class T>
void record_on_tensor_cores(const DecoupledAttention& attributes, const NodeView& node,
                            CudaEncoder& encoder) {
  using Op = DecoupledAttention;
  const TensorView& q = node.input(Op::kQ);
  const auto set = [&](Op::Input keys, Op::Input values) {
    return KeySet<T>{node.input(keys).as<const T>(), node.input(values).as<const T>(),
                     static_cast<int>(node.input(keys).shape[1])};
  };
  const Operands<T> x = {q.as<const T>(),
                         node.output().as<T>(),
                         set(Op::kK, Op::kV),
                         set(Op::kImageK, Op::kImageV),
                         node.input(Op::kImageScale).as<const float>(),
                         static_cast<int>(q.shape[1]),
                         static_cast<int>(attributes.heads),
                         ScoreFactor::of(attributes.scale),
                         0};
  with_head_size(q.shape[2] / attributes.heads,
                 [&](auto head) { record_head<T, decltype(head)::value>(x, q.shape[0], encoder); });
}

template <class T>
void record_any_head(const DecoupledAttention& attributes, const NodeView& node, CudaEncoder& encoder) {
  using Op = DecoupledAttention;
  const TensorView& q = node.input(Op::kQ);
  const auto set = [&](Op::Input keys, Op::Input values, const float* weights) {
    return WeightedKeys<T>{node.input(keys).as<const T>(), node.input(values).as<const T>(),
                           static_cast<int>(node.input(keys).shape[1]), weights};
  };
  AnyHeadOperands<T> x = {};
  x.q = q.as<const T>();
  x.output = node.output().as<T>();
  x.queries = static_cast<int>(q.shape[1]);
  x.heads = static_cast<int>(attributes.heads);
  x.channels = static_cast<int>(q.shape[2]) / x.heads;
  x.factor = attributes.scale * kLog2E;
  x.sets[0] = set(Op::kK, Op::kV, nullptr);
  x.sets[1] = set(Op::kImageK, Op::kImageV, node.input(Op::kImageScale).as<const float>());
  x.set_count = 2;
  record_attention_any_head(x, q.shape[0], encoder);
}

void record(const DecoupledAttention& attributes, const NodeView& node, CudaEncoder& encoder) {
  const TensorView& q = node.input(DecoupledAttention::kQ);
  with_element(q.dtype, [&](auto element) {
    using T = decltype(element);
    if constexpr (!std::is_same_v<T, float>) {
      if (has_attention_plan(q.shape[2] / attributes.heads)) {
        return record_on_tensor_cores<T>(attributes, node, encoder);
      }
    }
    record_any_head<T>(attributes, node, encoder);
  });
}

std::string validate(const DecoupledAttention& attributes, const NodeTypes& types) {
  const std::string error = DecoupledAttention::validate(attributes, types);
  return error.empty() ? check_head_size(types.inputs[DecoupledAttention::kQ], attributes.heads, kLargestHead)
                       : error;
}

}  // namespace

namespace ops {
Op decoupled_attention() {
  CudaOpSpec<DecoupledAttention> spec;
  spec.in_place_inputs = {DecoupledAttention::kQ};
  spec.validate = validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
