// embedding and gather_tokens: rows by index, and NaN for an index outside.
#include "checks.h"

namespace ipai::test {
namespace {

HostTensor integers(const std::vector<int64_t>& extents, const std::vector<int32_t>& values) {
  HostTensor tensor(DType::kInt32, extents);
  for (size_t i = 0; i < values.size(); ++i) tensor.set(static_cast<int64_t>(i), values[i]);
  return tensor;
}

}  // namespace

TEST_CASE("embedding: rows of any float table as any float, tables at odd addresses") {
  const std::vector<int32_t> list = {0, 49, 7, -1, 50, INT32_MIN, INT32_MAX, 7};
  const HostTensor ids = integers({2, 4}, list);
  for (const Target& target : targets()) {
    for (const DType from : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
      for (const DType to : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
        for (const int64_t channels : {1, 16, 37}) {
          INFO("target ", target.name, ", ", channels, " channels");
          const HostTensor table = HostTensor::random(from, {50, channels}, 1);
          const AttributeMap attributes{{"dtype", dtype_name(to)}};
          const Op& op = target.op("embedding");
          const HostTensor got = run_every_way(op, attributes, {table, ids}, to, {2, 4, channels});
          const auto expected = [&](int64_t i) {
            const int32_t id = list[static_cast<size_t>(i / channels)];
            return id < 0 || id >= 50 ? std::numeric_limits<double>::quiet_NaN()
                                      : table.at(id * channels + i % channels);
          };
          CHECK_LE(worst_error(got, expected), to == DType::kFloat16 ? 0x1p-12 : 0);
          CHECK(run(op, attributes, {table.at_odd_address(), ids}, to, {2, 4, channels}).has_bits_of(got));
        }
      }
    }
  }
}

TEST_CASE("gather_tokens: one token per sample") {
  for_each_target_and_dtype([](const Target& target, DType dtype) {
    const std::vector<int32_t> list = {6, 0, -1, 7, 3};
    const HostTensor x = HostTensor::random(dtype, {5, 7, 19}, 1);
    const HostTensor got =
        run_every_way(target.op("gather_tokens"), {}, {x, integers({5}, list)}, dtype, {5, 19});
    CHECK_EQ(worst_error(got,
                         [&](int64_t i) {
                           const int32_t token = list[static_cast<size_t>(i / 19)];
                           return token < 0 || token >= 7 ? std::numeric_limits<double>::quiet_NaN()
                                                          : x.at((i / 19 * 7 + token) * 19 + i % 19);
                         }),
             0);
  });
}

TEST_CASE("embedding, gather_tokens: refuse types that do not fit") {
  const Op& embedding = targets()[0].op("embedding");
  const HostTensor table(DType::kFloat16, {5, 4});
  const HostTensor ids = integers({3}, {0, 1, 2});
  const HostTensor rows(DType::kFloat32, {3, 4});
  const AttributeMap float32{{"dtype", "float32"}};
  CHECK_EQ(validate(embedding, float32, {table, ids}, rows.type()), "");
  CHECK_NE(validate(embedding, {{"dtype", "int32"}}, {table, ids}, rows.type()), "");
  CHECK_NE(validate(embedding, float32, {ids, ids}, rows.type()), "");
  CHECK_NE(validate(embedding, float32, {table, rows}, rows.type()), "");
  CHECK_NE(validate(embedding, float32, {table, ids}, table.type()), "");
  const Op& gather = targets()[0].op("gather_tokens");
  const HostTensor x(DType::kFloat32, {3, 7, 4});
  CHECK_EQ(validate(gather, {}, {x, ids}, rows.type()), "");
  CHECK_NE(validate(gather, {}, {x, integers({2}, {0, 0})}, rows.type()), "");
  CHECK_NE(validate(gather, {}, {x, rows}, rows.type()), "");
  CHECK_NE(validate(gather, {}, {rows, ids}, rows.type()), "");
}

}  // namespace ipai::test
