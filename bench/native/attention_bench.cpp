// Speed of attention and decoupled_attention at the shapes of SD1.5, CLIP's vision tower and the autoencoder:
// attention_bench [target] [threads] [float32|bfloat16] [part of a case's name]
//
// The exponentials do not count as operations.
#include "op_bench.h"

namespace ipai::bench {
namespace {

// Decoupled where there are image keys.
struct Case {
  const char* name;
  int64_t queries, keys, image_keys, heads, head_size;
  bool causal = false;

  double flops() const {
    return 4.0 * static_cast<double>(queries * (keys + image_keys) * heads * head_size) / (causal ? 2 : 1);
  }
};

constexpr Case kCases[] = {
    {"self 4096, 8 x 40", 4096, 4096, 0, 8, 40},     {"self 1024, 8 x 80", 1024, 1024, 0, 8, 80},
    {"self 256, 8 x 160", 256, 256, 0, 8, 160},      {"self 64, 8 x 160", 64, 64, 0, 8, 160},
    {"self 257, 16 x 80", 257, 257, 0, 16, 80},      {"causal 77, 12 x 64", 77, 77, 0, 12, 64, true},
    {"self 4096, 1 x 512", 4096, 4096, 0, 1, 512},   {"decoupled 4096, 8 x 40", 4096, 77, 16, 8, 40},
    {"decoupled 1024, 8 x 80", 1024, 77, 16, 8, 80}, {"decoupled 256, 8 x 160", 256, 77, 16, 8, 160},
    {"decoupled 64, 8 x 160", 64, 77, 16, 8, 160}};

void time_case(const Case& c, OpBench& bench) {
  const Op& op = bench.op(c.image_keys > 0 ? "decoupled_attention" : "attention");
  const DType dtype = bench.dtype();
  const auto tokens = [&](int64_t count) { return Buffer(dtype, {1, count, c.heads * c.head_size}); };
  const Buffer q = tokens(c.queries), k = tokens(c.keys), v = tokens(c.keys), output = tokens(c.queries);
  const Buffer image_k = tokens(c.image_keys), image_v = tokens(c.image_keys),
               image_scale(DType::kFloat32, {1});
  std::vector<TensorView> inputs = {q.view, k.view, v.view};
  AttributeMap map = {{"heads", static_cast<double>(c.heads)}, {"scale", 0.1}};
  if (c.image_keys > 0) {
    inputs.insert(inputs.end(), {image_k.view, image_v.view, image_scale.view});
  } else {
    inputs.push_back(Buffer().view);
    map["causal"] = c.causal ? 1.0 : 0.0;
  }
  std::string error;
  const auto attributes = op.parse(map, error);
  const NodeTypes types{{inputs.begin(), inputs.end()}, {output.view}, bench.device()};
  const size_t bytes = op.scratch_bytes(attributes.get(), types);
  const Buffer scratch(DType::kUInt8, {static_cast<int64_t>(bytes)});
  CpuContext context(bench.pool(), scratch.memory.get());
  bench.time(c.name, c.flops(), [&] {
    op.run(attributes.get(), {inputs.data(), static_cast<int>(inputs.size()), &output.view, 1}, context);
  });
}

}  // namespace
}  // namespace ipai::bench

int main(int argc, char** argv) {
  ipai::bench::OpBench bench(argc, argv);
  for (const auto& c : ipai::bench::kCases) {
    if (bench.wants(c.name)) time_case(c, bench);
  }
  return 0;
}
