#include "cuda_harness.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <stdexcept>

#include "emulate.h"

namespace ipai::test {
namespace {

using cuda::emulation::Order;

using Memory = std::unique_ptr<std::byte, decltype(&std::free)>;

Memory garbage(size_t bytes) {
  Memory memory(static_cast<std::byte*>(std::aligned_alloc(256, (bytes + 255) / 256 * 256)), &std::free);
  if (bytes > 0) std::memset(memory.get(), 0xff, bytes);
  return memory;
}

void run_into(const Op& op, const void* attributes, const std::vector<HostTensor>& inputs,
              const HostTensor& output, size_t scratch_bytes, const DeviceTraits& device, Order order) {
  const Memory scratch = garbage(scratch_bytes);
  std::vector<TensorView> input_views;
  for (const HostTensor& input : inputs) input_views.push_back(input.view());
  const TensorView output_view = output.view();
  CudaEncoder encoder(device);
  encoder.set_scratch(scratch.get());
  op.record(attributes, {input_views.data(), static_cast<int>(input_views.size()), &output_view, 1}, encoder);
  REQUIRE_EQ(cuda::emulation::run(encoder.launches(), order).message, "");
}

}  // namespace

const Op& cuda_op(const std::string& name) {
  static const std::vector<Op> kOps = cuda::all_ops();
  for (const Op& op : kOps) {
    if (op.name == name) return op;
  }
  throw std::runtime_error("no CUDA op called " + name);
}

HostTensor run_cuda(const std::string& op_name, const AttributeMap& attributes,
                    const std::vector<HostTensor>& inputs, DType output_dtype,
                    const std::vector<int64_t>& output_extents, const DeviceTraits& device) {
  const Op& op = cuda_op(op_name);
  const std::shared_ptr<const void> parsed = parse(op, attributes);
  const NodeTypes types = node_types(inputs, HostTensor(output_dtype, output_extents).type(), device);
  if (op.validate) REQUIRE_EQ(op.validate(parsed.get(), types), "");
  const size_t scratch_bytes = op.scratch_bytes ? op.scratch_bytes(parsed.get(), types) : 0;
  const auto make_output = [&] {
    if (!op.output_bytes) return HostTensor(output_dtype, output_extents);
    return HostTensor(output_dtype, output_extents, op.output_bytes(parsed.get(), types));
  };
  for (size_t i = 0; i < inputs.size() && op.input_bytes; ++i) {
    if (inputs[i].type().absent) continue;
    REQUIRE_GE(inputs[i].byte_size(), op.input_bytes(parsed.get(), types, static_cast<int>(i)));
  }

  const HostTensor result = make_output();
  run_into(op, parsed.get(), inputs, result, scratch_bytes, device, Order::kFirstToLast);
  const HostTensor reversed = make_output();
  run_into(op, parsed.get(), inputs, reversed, scratch_bytes, device, Order::kLastToFirst);
  CHECK_MESSAGE(reversed.has_bits_of(result), "last thread first");
  for (const int index : op.in_place_inputs) {
    const HostTensor& input = inputs[static_cast<size_t>(index)];
    if (input.byte_size() != result.byte_size()) continue;
    std::vector<HostTensor> copies = inputs;
    HostTensor& shared = copies[static_cast<size_t>(index)];
    shared = input.clone();
    run_into(op, parsed.get(), copies, shared, scratch_bytes, device, Order::kFirstToLast);
    CHECK_MESSAGE(shared.has_bits_of(result), "in place of input ", index);
  }
  return result;
}

HostTensor run_cpu_in_float32(const std::string& op_name, const AttributeMap& attributes,
                              const std::vector<HostTensor>& inputs,
                              const std::vector<int64_t>& output_extents) {
  std::vector<HostTensor> widened;
  for (const HostTensor& input : inputs) {
    const DType dtype = input.type().dtype;
    const bool is_half = dtype == DType::kFloat16 || dtype == DType::kBFloat16;
    widened.push_back(is_half ? input.as(DType::kFloat32) : input);
  }
  return run(targets().back().op(op_name), attributes, widened, DType::kFloat32, output_extents);
}

}  // namespace ipai::test
