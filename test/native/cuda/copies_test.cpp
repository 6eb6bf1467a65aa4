// The CUDA ops that move elements (concat, slice, transpose, broadcast_to, reshape, upsample_nearest) against
// the CPU ops: equal bits.
#include "checks.h"
#include "cuda_harness.h"

namespace ipai::test {
namespace {

// Bytes that tell elements apart, whatever the dtype.
HostTensor numbered(DType dtype, const std::vector<int64_t>& extents, uint64_t seed = 5) {
  const HostTensor tensor(dtype, extents);
  Dice dice(seed);
  for (size_t i = 0; i < tensor.byte_size(); ++i)
    tensor.data()[i] = static_cast<std::byte>(dice.roll(0, 255));
  return tensor;
}

void check(const std::string& op, const AttributeMap& attributes, const std::vector<HostTensor>& inputs,
           const std::vector<int64_t>& extents) {
  const DType dtype = inputs[0].type().dtype;
  INFO(op, " of ", std::string(dtype_name(dtype)), " ", inputs[0].type().shape.to_string(), " to ",
       Shape(extents).to_string());
  const HostTensor expected = run(targets().back().op(op), attributes, inputs, dtype, extents);
  CHECK(run_cuda(op, attributes, inputs, dtype, extents).has_bits_of(expected));
}

void check_transpose(DType dtype, const std::vector<int64_t>& extents,
                     const std::vector<int64_t>& permutation) {
  std::vector<int64_t> permuted;
  for (const int64_t axis : permutation) permuted.push_back(extents[static_cast<size_t>(axis)]);
  check("transpose", {{"permutation", list_of(permutation)}}, {numbered(dtype, extents)}, permuted);
}

void check_slice(const HostTensor& x, size_t axis, int64_t start, int64_t length) {
  std::vector<int64_t> extents = extents_of(x.type().shape);
  extents[axis] = length;
  const AttributeMap attributes{{"axis", static_cast<double>(axis)},
                                {"start", static_cast<double>(start)},
                                {"length", static_cast<double>(length)}};
  check("slice", attributes, {x}, extents);
}

// Parts of the given lengths along `axis`, and each of them taken out again.
void check_concat(DType dtype, std::vector<int64_t> extents, size_t axis,
                  const std::vector<int64_t>& lengths) {
  std::vector<HostTensor> parts;
  extents[axis] = 0;
  for (const int64_t length : lengths) {
    std::vector<int64_t> part = extents;
    part[axis] = length;
    parts.push_back(numbered(dtype, part, parts.size() + 1));
  }
  for (const int64_t length : lengths) extents[axis] += length;
  check("concat", {{"axis", static_cast<double>(axis)}}, parts, extents);
  const HostTensor whole = numbered(dtype, extents);
  int64_t start = 0;
  for (const int64_t length : lengths) {
    check_slice(whole, axis, start, length);
    start += length;
  }
}

void check_broadcast(DType dtype, const std::vector<int64_t>& from, const std::vector<int64_t>& to) {
  check("broadcast_to", {{"shape", list_of(to)}}, {numbered(dtype, from)}, to);
}

template <class Body>
void for_each_size(Body body) {
  for (const DType dtype : {DType::kUInt8, DType::kFloat16, DType::kBFloat16, DType::kInt32}) body(dtype);
}

}  // namespace

TEST_CASE("cuda concat, slice: along every axis, units of 1 to 16 bytes") {
  for_each_size([](DType dtype) {
    check_concat(dtype, {1}, 0, {1});
    check_concat(dtype, {3, 1}, 1, {1, 1, 1});
    check_concat(dtype, {40, 1}, 1, {1, 2});
    for (size_t axis = 0; axis < 4; ++axis) check_concat(dtype, {2, 3, 5, 7}, axis, {1, 4, 2});
    check_concat(dtype, {2, 4, 4, 0}, 3, {320, 640});
    check_concat(dtype, {2, 4, 4, 0}, 3, {8, 4, 2, 1, 1, 16});
  });
}

TEST_CASE("cuda concat, slice: random shapes") {
  Dice dice(7);
  for (int i = 0; i < 40; ++i) {
    const auto axis = static_cast<size_t>(dice.roll(0, 2));
    std::vector<int64_t> lengths;
    for (int64_t parts = dice.roll(1, 4); parts > 0; --parts) lengths.push_back(dice.roll(1, 20));
    check_concat(dice.roll(0, 1) ? DType::kFloat32 : DType::kBFloat16,
                 {dice.roll(1, 5), dice.roll(1, 5), dice.roll(1, 33)}, axis, lengths);
  }
}

TEST_CASE("cuda transpose: between layouts of pictures, heads, tiles of every raggedness, nothing to do") {
  for_each_size([](DType dtype) {
    check_transpose(dtype, {2, 3, 17, 19}, {0, 2, 3, 1});
    check_transpose(dtype, {2, 17, 19, 3}, {0, 3, 1, 2});
    check_transpose(dtype, {2, 20, 5, 9}, {0, 2, 3, 1});
    check_transpose(dtype, {100, 67}, {1, 0});
    check_transpose(dtype, {32, 64}, {1, 0});
    check_transpose(dtype, {15, 33}, {1, 0});
    check_transpose(dtype, {33, 16, 17}, {2, 1, 0});
    check_transpose(dtype, {2, 5, 4, 40}, {0, 2, 1, 3});
    check_transpose(dtype, {1, 5, 1, 3}, {2, 3, 0, 1});
    check_transpose(dtype, {2, 3, 4}, {0, 1, 2});
    check_transpose(dtype, {2, 3, 2, 3, 2, 3}, {5, 3, 1, 4, 2, 0});
    check_transpose(dtype, {1, 1}, {1, 0});
    check_transpose(dtype, {7}, {0});
    check_transpose(dtype, {}, {});
  });
}

TEST_CASE("cuda transpose: random permutations") {
  Dice dice(9);
  for (int i = 0; i < 60; ++i) {
    std::vector<int64_t> extents, permutation;
    for (int64_t rank = dice.roll(1, 6); rank > 0; --rank) {
      extents.push_back(dice.roll(0, 2) == 0 ? dice.roll(15, 40) : dice.roll(1, 4));
      permutation.insert(permutation.begin() + dice.roll(0, static_cast<int64_t>(permutation.size())),
                         static_cast<int64_t>(extents.size()) - 1);
    }
    if (Shape(extents).size() > 60000) continue;
    check_transpose(dice.roll(0, 1) ? DType::kFloat32 : DType::kFloat16, extents, permutation);
  }
}

TEST_CASE("cuda broadcast_to: first, middle and last axes, all, none") {
  for_each_size([](DType dtype) {
    check_broadcast(dtype, {1}, {1});
    check_broadcast(dtype, {1}, {3001});
    check_broadcast(dtype, {3, 5}, {3, 5});
    check_broadcast(dtype, {1, 4, 320}, {2, 4, 320});
    check_broadcast(dtype, {2, 1, 1, 33}, {2, 5, 7, 33});
    check_broadcast(dtype, {2, 5, 7, 1}, {2, 5, 7, 33});
    check_broadcast(dtype, {1, 4, 1, 5, 1, 2}, {3, 4, 2, 5, 3, 2});
    check_broadcast(dtype, {1, 1, 1}, {2, 3, 4});
  });
}

TEST_CASE("cuda reshape: the same bytes") {
  for_each_size([](DType dtype) {
    check("reshape", {{"shape", list_of({3, 35})}}, {numbered(dtype, {5, 21})}, {3, 35});
    check("reshape", {{"shape", list_of({})}}, {numbered(dtype, {1})}, {});
  });
}

TEST_CASE("cuda copies: more units than the device has threads at once") {
  const int64_t count = 132 * 2048 + 77;
  check_slice(numbered(DType::kUInt8, {count + 1}), 0, 1, count);
}

TEST_CASE("cuda upsample_nearest: doubled, uneven, one pixel, smaller, pixels of 1 to 16 bytes") {
  for_each_cuda_dtype([](DType dtype) {
    const auto check_size = [&](const std::vector<int64_t>& from, int64_t height, int64_t width) {
      const AttributeMap attributes{{"height", static_cast<double>(height)},
                                    {"width", static_cast<double>(width)}};
      const HostTensor x = numbered(dtype, from);
      const std::vector<int64_t> to = {from[0], height, width, from[3]};
      // The CPU op knows no float16, but only the size of elements counts.
      const DType like = dtype_size(dtype) == 2 ? DType::kBFloat16 : DType::kFloat32;
      HostTensor same_bytes(like, from);
      std::memcpy(same_bytes.data(), x.data(), x.byte_size());
      const HostTensor expected =
          run(targets().back().op("upsample_nearest"), attributes, {same_bytes}, like, to);
      INFO(Shape(from).to_string(), " to ", height, " x ", width);
      CHECK(run_cuda("upsample_nearest", attributes, {x}, dtype, to).has_bits_of(expected));
    };
    for (const int64_t channels : {1, 2, 3, 4, 8, 33, 64}) check_size({2, 4, 6, channels}, 8, 12);
    check_size({1, 5, 3, 33}, 9, 7);
    check_size({2, 1, 1, 8}, 3, 4);
    check_size({1, 7, 5, 3}, 3, 2);
    check_size({3, 9, 9, 16}, 17, 17);
  });
}

}  // namespace ipai::test
