// Speed of linear and conv2d at the shapes of SD1.5, in operations of the direct algorithm, beside the multiply-add
// (or dot product) rate that the same threads reach in the same minute:
// gemm_bench [target] [threads] [float32|bfloat16] [part of a case's name]
#include "op_bench.h"

namespace ipai::bench {
namespace {

// Weights of a case take turns that are copies of each other: as in a model, none is left in a cache.
constexpr size_t kColdBytes = size_t{256} << 20;

struct Case {
  std::string name;
  std::string op;
  std::vector<int64_t> x, weight, output;
  AttributeMap attributes;
  bool glu = false;
};

Case linear_case(int64_t rows, int64_t columns, int64_t depth, const char* activation = "none") {
  const bool glu = std::string(activation) == "geglu";
  const std::string name = "linear " + std::to_string(rows) + "x" + std::to_string(columns) + "x" +
                           std::to_string(depth) + (glu ? " geglu" : "");
  const AttributeMap attributes = {{"activation", activation}};
  return {name,       "linear", {rows, depth}, {columns, depth}, {rows, glu ? columns / 2 : columns},
          attributes, glu};
}

Case conv_case(int64_t size, int64_t channels, int64_t outputs, int64_t kernel = 3, int64_t stride = 1,
               const char* algorithm = "direct", bool upsampled = false, int64_t batch = 1) {
  const std::string name = "conv" + std::to_string(kernel) + " " + std::to_string(channels) + "->" +
                           std::to_string(outputs) + " @" + std::to_string(size) +
                           (stride > 1 ? " /" + std::to_string(stride) : "") +
                           (std::string(algorithm) == "direct" ? "" : std::string(" ") + algorithm) +
                           (upsampled ? " from half" : "") + (batch > 1 ? " x" + std::to_string(batch) : "");
  const double pad = static_cast<double>(stride < kernel ? kernel / 2 : 0);
  const int64_t out = (size + 2 * static_cast<int64_t>(pad) - kernel) / stride + 1;
  const AttributeMap attributes = {{"stride", static_cast<double>(stride)},
                                   {"padding", std::vector<double>{pad, pad, pad, pad}},
                                   {"upsample_height", upsampled ? static_cast<double>(size) : 0.0},
                                   {"upsample_width", upsampled ? static_cast<double>(size) : 0.0},
                                   {"activation", "none"},
                                   {"algorithm", algorithm}};
  const int64_t in = upsampled ? size / 2 : size;
  return {name,
          "conv2d",
          {batch, in, in, channels},
          {outputs, channels, kernel, kernel},
          {batch, out, out, outputs},
          attributes,
          false};
}

std::vector<Case> cases() {
  return {linear_case(4096, 320, 320),
          linear_case(4096, 2560, 320, "geglu"),
          linear_case(4096, 320, 1280),
          linear_case(1024, 640, 640),
          linear_case(1024, 5120, 640, "geglu"),
          linear_case(1024, 640, 2560),
          linear_case(256, 1280, 1280),
          linear_case(256, 10240, 1280, "geglu"),
          linear_case(256, 1280, 5120),
          linear_case(64, 1280, 1280),
          linear_case(257, 5120, 1280),
          linear_case(77, 640, 768),
          linear_case(1, 1280, 1280),
          conv_case(64, 320, 320),
          conv_case(32, 640, 640),
          conv_case(16, 1280, 1280),
          conv_case(8, 1280, 1280),
          conv_case(64, 320, 320, 3, 2),
          conv_case(64, 960, 320, 1),
          conv_case(64, 4, 320),
          conv_case(64, 320, 4),
          conv_case(224, 3, 1280, 14, 14),
          conv_case(64, 512, 512),
          conv_case(256, 256, 256),
          conv_case(512, 128, 128),
          conv_case(512, 3, 128),
          conv_case(512, 128, 3),
          conv_case(64, 320, 320, 3, 1, "winograd_4x4_held"),
          conv_case(64, 640, 640, 3, 1, "winograd_4x4_held", true),
          conv_case(64, 320, 320, 3, 1, "winograd_4x4"),
          conv_case(32, 640, 640, 3, 1, "winograd_4x4_held"),
          conv_case(32, 640, 640, 3, 1, "winograd_4x4"),
          conv_case(16, 1280, 1280, 3, 1, "winograd_4x4"),
          conv_case(16, 1280, 1280, 3, 1, "winograd_4x4", false, 2),
          conv_case(16, 2560, 1280, 3, 1, "winograd_4x4", false, 2),
          conv_case(8, 1280, 1280, 3, 1, "winograd_4x4"),
          conv_case(8, 1280, 1280, 3, 1, "winograd_2x2_held"),
          conv_case(64, 512, 512, 3, 1, "winograd_4x4_held"),
          conv_case(128, 512, 512, 3, 1, "winograd_6x6_held"),
          conv_case(256, 256, 256, 3, 1, "winograd_6x6_held"),
          conv_case(256, 512, 512, 3, 1, "winograd_6x6_held", true),
          conv_case(512, 128, 128, 3, 1, "winograd_6x6_held")};
}

double flops(const Case& c) {
  const double rows = static_cast<double>(Shape(c.output).size()) / static_cast<double>(c.output.back());
  return 2 * rows * static_cast<double>(Shape(c.weight).size());
}

void time_case(const Case& c, OpBench& bench) {
  const Op& op = bench.op(c.op);
  const Op& pack = bench.op("pack_" + c.op);
  const DType dtype = bench.dtype();
  const Buffer x(dtype, c.x), weight(DType::kFloat32, c.weight), bias(DType::kFloat32, {c.weight[0]});
  AttributeMap pack_map = {{"dtype", dtype_name(dtype)}};
  if (c.op == "linear") {
    pack_map["glu"] = c.glu ? 1.0 : 0.0;
    pack_map["transposed"] = 0.0;
  }
  if (c.op == "conv2d") pack_map["algorithm"] = c.attributes.at("algorithm");
  std::string error;
  const auto pack_attributes = pack.parse(pack_map, error);
  const auto attributes = op.parse(c.attributes, error);
  if (!error.empty()) {
    std::fprintf(stderr, "%s: %s\n", c.name.c_str(), error.c_str());
    std::exit(1);
  }
  const TensorType packed_type{dtype, Shape(c.weight), false};
  const size_t packed_bytes = pack.output_bytes(pack_attributes.get(), {{weight.view}, {packed_type}});
  std::vector<std::unique_ptr<Buffer>> packed;
  for (size_t bytes = 0; bytes == 0 || bytes < kColdBytes; bytes += packed_bytes) {
    packed.push_back(std::make_unique<Buffer>(dtype, c.weight, packed_bytes));
  }
  const Buffer output(dtype, c.output);
  CpuContext pack_context(bench.pool(), nullptr);
  for (const auto& copy : packed) {
    pack.run(pack_attributes.get(), {&weight.view, 1, &copy->view, 1}, pack_context);
  }

  std::vector<TensorView> inputs = {x.view, packed[0]->view, bias.view, Buffer().view, Buffer().view};
  const NodeTypes types{{inputs.begin(), inputs.end()}, {output.view}, bench.device()};
  const size_t scratch_bytes = op.scratch_bytes(attributes.get(), types);
  const Buffer scratch(DType::kUInt8, {static_cast<int64_t>(scratch_bytes)});
  CpuContext context(bench.pool(), scratch.memory.get());
  size_t run = 0;
  bench.time(c.name, flops(c), [&] {
    inputs[1] = packed[run++ % packed.size()]->view;
    op.run(attributes.get(), {inputs.data(), static_cast<int>(inputs.size()), &output.view, 1}, context);
  });
}

}  // namespace
}  // namespace ipai::bench

int main(int argc, char** argv) {
  ipai::bench::OpBench bench(argc, argv);
  for (const auto& c : ipai::bench::cases()) {
    if (bench.wants(c.name)) time_case(c, bench);
  }
  return 0;
}
