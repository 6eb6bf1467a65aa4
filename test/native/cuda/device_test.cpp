// The runtime's CUDA side (devices, programs, graphs, errors) over an emulated device.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <future>
#include <thread>

#include "device/emulated_device.h"
#include "runtime/cuda_device.h"
#include "runtime/cuda_library.h"

extern "C" const ipai::CudaInterface* ipai_cuda_interface();

using ipai::Buffer;
using ipai::CudaDevice;
using ipai::DType;
using ipai::ErrorCode;
using ipai::Job;
using ipai::JobResult;
using ipai::Status;

namespace {

using Buffers = std::vector<std::shared_ptr<Buffer>>;

// Sets what the emulated machine is like, for one scope.
class Machine {
 public:
  explicit Machine(const std::string& settings) { setenv("IPAI_EMULATED_CUDA", settings.c_str(), 1); }
  ~Machine() { unsetenv("IPAI_EMULATED_CUDA"); }
};

const ipai::cuda::emulation::Counts& counts() {
  return ipai::cuda::emulation::counts;
}

std::unique_ptr<CudaDevice> open_device() {
  return std::move(CudaDevice::open(*ipai_cuda_interface(), 0).value());
}

Status open_error(const std::string& settings, int index = 0) {
  const Machine machine(settings);
  return CudaDevice::open(*ipai_cuda_interface(), index).status();
}

JobResult submit(CudaDevice& device, std::unique_ptr<Job> job) {
  auto promise = std::make_shared<std::promise<JobResult>>();
  job->done = [promise](JobResult value) { promise->set_value(std::move(value)); };
  device.executor().submit(std::move(job));
  return promise->get_future().get();
}

Status copy(CudaDevice& device, const std::shared_ptr<Buffer>& source,
            const std::shared_ptr<Buffer>& target) {
  auto job = std::make_unique<Job>();
  job->task = [&] { return device.copy(*target, 0, *source); };
  return submit(device, std::move(job)).status;
}

std::shared_ptr<Buffer> upload(CudaDevice& device, const std::vector<float>& values) {
  const auto host = Buffer::allocate(values.size() * sizeof(float)).value();
  std::memcpy(host->data(), values.data(), host->size());
  auto buffer = device.allocate(host->size()).value();
  REQUIRE(copy(device, host, buffer).ok());
  return buffer;
}

std::vector<float> download(CudaDevice& device, const std::shared_ptr<Buffer>& buffer) {
  const auto host = Buffer::allocate(buffer->size()).value();
  REQUIRE(copy(device, buffer, host).ok());
  std::vector<float> values(host->size() / sizeof(float));
  std::memcpy(values.data(), host->data(), host->size());
  return values;
}

// layer_norm(silu(silu(x)), silu(scale)), x [1, n]; silu(scale) is in the arena.
std::shared_ptr<const ipai::Program> program_of(CudaDevice& device, int64_t n) {
  ipai::ProgramDescription program;
  const ipai::ProgramDescription::Tensor tensor = {DType::kFloat32, {1, n}};
  const ipai::ProgramDescription::Tensor row = {DType::kFloat32, {n}};
  program.tensors = {tensor, tensor, tensor, row, tensor, row};
  program.nodes = {{"unary", {0}, {1}, {{"kind", std::string("silu")}}, "first"},
                   {"unary", {1}, {2}, {{"kind", std::string("silu")}}, "second"},
                   {"unary", {3}, {5}, {{"kind", std::string("silu")}}, "third"},
                   {"layer_norm", {2, 5}, {4}, {{"epsilon", 1e-5}, {"dtype", "float32"}}, "fourth"}};
  program.inputs = {0};
  program.parameters = {3};
  program.outputs = {4};
  auto compiled = device.compile(program);
  REQUIRE_EQ(compiled.status().message, "");
  return compiled.value();
}

std::vector<float> expected(const std::vector<float>& x, const std::vector<float>& scale) {
  const auto silu = [](double v) { return v / (1 + std::exp(-v)); };
  std::vector<double> y;
  double mean = 0;
  for (const float value : x) mean += y.emplace_back(silu(silu(value))) / static_cast<double>(x.size());
  double variance = 0;
  for (const double value : y) variance += (value - mean) * (value - mean) / static_cast<double>(x.size());
  std::vector<float> result;
  for (size_t i = 0; i < x.size(); ++i)
    result.push_back(static_cast<float>((y[i] - mean) / std::sqrt(variance + 1e-5) * silu(scale[i])));
  return result;
}

void check_near(const std::vector<float>& values, const std::vector<float>& reference) {
  REQUIRE_EQ(values.size(), reference.size());
  for (size_t i = 0; i < values.size(); ++i) CHECK(values[i] == doctest::Approx(reference[i]).epsilon(1e-4));
}

const std::vector<float> kX = {-2, -1, 0.5, 1, 3};
const std::vector<float> kOther = {4, 1, -0.5, 2, 0};
const std::vector<float> kScale = {1, 2, 3, 4, 5};

struct Setup {
  std::unique_ptr<CudaDevice> device = open_device();
  std::shared_ptr<const ipai::Program> program = program_of(*device, 5);
  std::shared_ptr<Buffer> scale = upload(*device, kScale);

  std::unique_ptr<Job> job(const std::shared_ptr<Buffer>& x, const std::shared_ptr<Buffer>& y) {
    auto job = std::make_unique<Job>();
    job->program = program;
    job->inputs = {x};
    job->parameters = {scale};
    job->outputs = {y};
    REQUIRE_EQ(ipai::check_bindings(*job).message, "");
    return job;
  }
  std::vector<float> run(const std::shared_ptr<Buffer>& x) {
    const auto y = device->allocate(x->size()).value();
    const JobResult result = submit(*device, job(x, y));
    REQUIRE_EQ(result.status.message, "");
    return download(*device, y);
  }
};

}  // namespace

TEST_CASE("what is missing for a device is said") {
  const auto check = [](const Status& status, const std::string& message) {
    CHECK(status.code == ErrorCode::kDeviceUnavailable);
    CHECK_EQ(status.message, message);
  };
  check(open_error("driver=0"),
        "cuda: no NVIDIA driver was found. Install one; a container needs access to the host's (docker run "
        "--gpus all).");
  check(open_error("driver=11040"),
        "cuda: the NVIDIA driver serves CUDA 11.4; 13.0 or newer is needed. Update it.");
  check(open_error("devices=0"),
        "cuda: the NVIDIA driver finds no device. Is one hidden by CUDA_VISIBLE_DEVICES, or not passed on to "
        "this container?");
  check(open_error("devices=2", 2), "cuda: expected a device from 0 to 1, got 2.");
  check(open_error("capability=75"),
        "cuda: device 0, an emulated device, has compute capability 7.5; 8.0 or newer is needed.");
}

TEST_CASE("libraries that are none, or not there") {
  CHECK(ipai::open_cuda_library("/nowhere/libipai_cuda.so").status().code == ErrorCode::kDeviceUnavailable);
  CHECK_EQ(ipai::open_cuda_library("libc.so.6").status().message,
           "cuda: libc.so.6 is not a library of ip-adapter-instruct. Reinstall the package.");
}

TEST_CASE("a program's first run launches its nodes, later ones its graph, with equal bits") {
  Setup setup;
  const auto before = counts();
  const auto x = upload(*setup.device, kX);
  const std::vector<float> first = setup.run(x);
  check_near(first, expected(kX, kScale));
  CHECK_EQ(counts().node_launches - before.node_launches, 4);
  CHECK_EQ(counts().graphs, before.graphs);
  for (int i = 1; i < 4; ++i) {
    CHECK(setup.run(x) == first);
    CHECK_EQ(counts().graph_launches - before.graph_launches, i);
  }
  CHECK_EQ(counts().node_launches - before.node_launches, 4);
  CHECK_EQ(counts().graphs, before.graphs + 1);
  CHECK_EQ(counts().recordings, before.recordings);
  setup.program.reset();
  CHECK_EQ(counts().graphs, before.graphs);
}

TEST_CASE("a graph follows inputs that move, and memory that was given back") {
  Setup setup;
  const auto x = upload(*setup.device, kX);
  const auto other = upload(*setup.device, kOther);
  const std::vector<float> of_x = setup.run(x);
  CHECK(setup.run(x) == of_x);
  check_near(setup.run(other), expected(kOther, kScale));
  CHECK(setup.run(x) == of_x);
  setup.device->executor().trim();
  while (setup.device->executor().runner().arena_bytes() > 0) std::this_thread::yield();
  // Where the arena was.
  const auto other_memory = setup.device->allocate(size_t{2} << 20).value();
  check_near(setup.run(other), expected(kOther, kScale));
  CHECK(setup.run(x) == of_x);
  CHECK(setup.run(x) == of_x);
}

TEST_CASE("a program with other parameters is launched anew") {
  Setup setup;
  const auto x = upload(*setup.device, kX);
  setup.run(x);
  setup.run(x);
  setup.scale = upload(*setup.device, kOther);
  const auto before = counts();
  check_near(setup.run(x), expected(kX, kOther));
  CHECK_EQ(counts().graph_launches, before.graph_launches);
  check_near(setup.run(x), expected(kX, kOther));
  CHECK_EQ(counts().graph_launches, before.graph_launches + 1);
}

TEST_CASE("times of nodes follow one another") {
  Setup setup;
  const auto x = upload(*setup.device, kX);
  const auto y = setup.device->allocate(x->size()).value();
  auto job = setup.job(x, y);
  job->profile = true;
  const JobResult result = submit(*setup.device, std::move(job));
  REQUIRE(result.status.ok());
  REQUIRE_EQ(result.profile.size(), 4);
  CHECK(result.profile[0].start_us < result.profile[0].end_us);
  CHECK_EQ(result.profile[0].end_us, result.profile[1].start_us);
  check_near(download(*setup.device, y), expected(kX, kScale));
}

TEST_CASE("buffers of the host are refused, and those of the device by the host's programs") {
  Setup setup;
  auto job = setup.job(upload(*setup.device, kX), setup.device->allocate(20).value());
  job->inputs = {Buffer::allocate(20).value()};
  CHECK_EQ(ipai::check_bindings(*job).message,
           "run: inputs[0]: expected a tensor on cuda:0, got one on cpu. Make it there.");
}

TEST_CASE("a cancelled job does not run") {
  Setup setup;
  auto job = setup.job(upload(*setup.device, kX), setup.device->allocate(20).value());
  job->token->cancelled = true;
  const auto before = counts();
  CHECK(submit(*setup.device, std::move(job)).status.code == ErrorCode::kCancelled);
  CHECK_EQ(counts().node_launches, before.node_launches);
}

TEST_CASE("memory is counted, freed in order, and its end is an error like the processor's") {
  const auto device = open_device();
  auto buffer = device->allocate(1000).value();
  CHECK_EQ(device->memory_usage().buffer_bytes, 1000);
  buffer.reset();
  CHECK_EQ(device->memory_usage().buffer_bytes, 0);
  CHECK_EQ(device->memory_usage().peak_buffer_bytes, 1000);
  const Machine machine("memory=1");
  const Status status = device->allocate(size_t{2} << 20).status();
  CHECK(status.code == ErrorCode::kOutOfMemory);
  CHECK(status.message.find("out of memory: 2.0 MiB needed for a buffer on cuda:0, ") == 0);
}

TEST_CASE("a program without memory for its graph runs all the same") {
  Setup setup;
  const auto x = upload(*setup.device, kX);
  const std::vector<float> first = setup.run(x);
  const auto before = counts();
  const auto y = setup.device->allocate(x->size()).value();
  {
    const Machine machine("memory=0");
    REQUIRE_EQ(submit(*setup.device, setup.job(x, y)).status.message, "");
  }
  CHECK(download(*setup.device, y) == first);
  CHECK_EQ(counts().node_launches, before.node_launches + 4);
}

TEST_CASE("a NaN is told with its op and place") {
  Setup setup;
  const auto x = upload(*setup.device, {1, 2, NAN, 4, 5});
  auto job = setup.job(x, setup.device->allocate(20).value());
  job->check_nan = true;
  const Status status = submit(*setup.device, std::move(job)).status;
  CHECK(status.code == ErrorCode::kNumeric);
  CHECK_EQ(status.message, "unary: the output float32[1, 5] has a NaN at element 2.");
  CHECK_EQ(status.scope, "first");
}

TEST_CASE("a device that breaks down in a graph: the run says so") {
  Setup setup;
  const auto x = upload(*setup.device, kX);
  setup.run(x);
  const Machine machine("fail=layer_norm_block_rows");
  const Status status = submit(*setup.device, setup.job(x, setup.device->allocate(20).value())).status;
  CHECK(status.code == ErrorCode::kInternal);
  CHECK(status.message.find("set IPAI_CHECK_NAN=1 to learn the op.") != std::string::npos);
}

TEST_CASE("a device that breaks down says where") {
  Setup setup;
  const auto x = upload(*setup.device, kX);
  const Machine machine("fail=unary");
  auto job = setup.job(x, setup.device->allocate(20).value());
  job->check_nan = true;
  const Status status = submit(*setup.device, std::move(job)).status;
  CHECK(status.code == ErrorCode::kInternal);
  CHECK_EQ(
      status.message,
      "unary: cuda: running kernels: an illegal memory access was encountered (cudaErrorIllegalAddress).");
  CHECK_EQ(status.scope, "first");
}
