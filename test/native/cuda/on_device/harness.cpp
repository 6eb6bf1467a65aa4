// cuda_harness.h on a device: the same tests of ops, through the library that IPAI_CUDA_LIBRARY names.
#include <doctest/doctest.h>

#include <cstdlib>
#include <future>
#include <stdexcept>

#include "cuda_harness.h"
#include "runtime/cuda_device.h"
#include "runtime/cuda_library.h"

namespace ipai::test {
namespace {

CudaDevice& device() {
  static const std::unique_ptr<CudaDevice> kDevice = [] {
    const char* const path = std::getenv("IPAI_CUDA_LIBRARY");
    if (path == nullptr) throw std::runtime_error("set IPAI_CUDA_LIBRARY to the library to test");
    Result<const CudaInterface*> cuda = open_cuda_library(path);
    if (!cuda.ok()) throw std::runtime_error(cuda.status().message);
    Result<std::unique_ptr<CudaDevice>> opened = CudaDevice::open(*cuda.value(), 0);
    if (!opened.ok()) throw std::runtime_error(opened.status().message);
    return std::move(opened.value());
  }();
  return *kDevice;
}

void submit(std::unique_ptr<Job> job) {
  auto promise = std::make_shared<std::promise<Status>>();
  job->done = [promise](const JobResult& result) { promise->set_value(result.status); };
  device().executor().submit(std::move(job));
  REQUIRE_EQ(promise->get_future().get().message, "");
}

void copy(const std::shared_ptr<Buffer>& source, const std::shared_ptr<Buffer>& target) {
  auto job = std::make_unique<Job>();
  job->task = [&] { return device().copy(*target, 0, *source); };
  submit(std::move(job));
}

std::shared_ptr<Buffer> upload(const std::byte* data, size_t bytes) {
  const auto host = Buffer::allocate(bytes).value();
  std::memcpy(host->data(), data, bytes);
  auto buffer = device().allocate(bytes).value();
  copy(host, buffer);
  return buffer;
}

std::vector<int64_t> extents_of(const Shape& shape) {
  std::vector<int64_t> extents;
  for (int axis = 0; axis < shape.rank(); ++axis) extents.push_back(shape[axis]);
  return extents;
}

// A program of one node.
ProgramDescription describe(const std::string& op, const AttributeMap& attributes,
                            const std::vector<HostTensor>& inputs, DType output_dtype,
                            const std::vector<int64_t>& output_extents) {
  ProgramDescription program;
  ProgramDescription::Node node = {op, {}, {0}, attributes, op};
  program.tensors.push_back({output_dtype, output_extents});
  for (const HostTensor& input : inputs) {
    if (input.type().absent) {
      node.inputs.push_back(-1);
      continue;
    }
    const auto id = static_cast<int32_t>(program.tensors.size());
    program.tensors.push_back({input.type().dtype, extents_of(input.type().shape)});
    node.inputs.push_back(id);
    program.inputs.push_back(id);
  }
  program.nodes = {node};
  program.outputs = {0};
  return program;
}

}  // namespace

const Op& cuda_op(const std::string& name) {
  const Op* const op = device().registry().find(name);
  if (op == nullptr) throw std::runtime_error("no CUDA op called " + name);
  return *op;
}

// Kernels are chosen by what the device says of itself.
HostTensor run_cuda(const std::string& op_name, const AttributeMap& attributes,
                    const std::vector<HostTensor>& inputs, DType output_dtype,
                    const std::vector<int64_t>& output_extents, const DeviceTraits&) {
  auto compiled = device().compile(describe(op_name, attributes, inputs, output_dtype, output_extents));
  REQUIRE_EQ(compiled.status().message, "");
  const std::shared_ptr<const Program> program = compiled.value();
  std::vector<std::shared_ptr<Buffer>> uploaded;
  for (const HostTensor& input : inputs) {
    if (!input.type().absent) uploaded.push_back(upload(input.data(), input.byte_size()));
  }
  const size_t bytes = program->tensors[0].bytes;
  const HostTensor result(output_dtype, output_extents, bytes);
  // First as launches, then as a graph.
  for (int run = 0; run < 2; ++run) {
    const HostTensor output(output_dtype, output_extents, bytes);
    const auto host = Buffer::allocate(bytes).value();
    auto job = std::make_unique<Job>();
    job->program = program;
    job->inputs = uploaded;
    job->outputs = {upload(output.data(), bytes)};
    const std::shared_ptr<Buffer> written = job->outputs[0];
    REQUIRE_EQ(check_bindings(*job).message, "");
    submit(std::move(job));
    copy(written, host);
    if (run == 0) {
      std::memcpy(result.data(), host->data(), bytes);
    } else {
      CHECK_MESSAGE(std::memcmp(result.data(), host->data(), bytes) == 0, "again");
    }
  }
  return result;
}

}  // namespace ipai::test

std::vector<ipai::Op> ipai::cuda::all_ops() {
  return ipai::test::device().registry().ops();
}
