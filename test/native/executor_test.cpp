#include "runtime/executor.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <future>

#include "runtime/program_runner.h"

using ipai::Buffer;
using ipai::DType;
using ipai::ErrorCode;
using ipai::Executor;
using ipai::Job;
using ipai::JobResult;

namespace {

std::shared_ptr<Buffer> buffer_of(const std::vector<float>& values) {
  auto buffer = Buffer::allocate(values.size() * sizeof(float)).value();
  std::memcpy(buffer->data(), values.data(), buffer->size());
  return buffer;
}

std::vector<float> values_of(const Buffer& buffer) {
  std::vector<float> values(buffer.size() / sizeof(float));
  std::memcpy(values.data(), buffer.data(), buffer.size());
  return values;
}

// `length` affine nodes in a row over `size` floats: x → 1·x + 1.
std::shared_ptr<const ipai::Program> chain(int length, int64_t size) {
  static const ipai::OpRegistry ops(ipai::CpuTarget::kPortable);
  ipai::ProgramDescription program;
  program.tensors.push_back({DType::kFloat32, {size}});
  for (int32_t i = 0; i < length; ++i) {
    program.tensors.push_back({DType::kFloat32, {size}});
    program.nodes.push_back(
        {"affine", {i}, {i + 1}, {{"scale", 1.0}, {"offset", 1.0}}, "node" + std::to_string(i)});
  }
  program.inputs = {0};
  program.outputs = {length};
  return ipai::compile_program(program, ops, {ipai::Device::kCpu, 2}).value();
}

struct Run {
  std::unique_ptr<Job> job = std::make_unique<Job>();
  std::future<JobResult> result;
  std::shared_ptr<Buffer> output;
  std::shared_ptr<ipai::CancelToken> token = std::make_shared<ipai::CancelToken>();

  Run(std::shared_ptr<const ipai::Program> program, std::shared_ptr<Buffer> input,
      const void* owner = nullptr) {
    auto promise = std::make_shared<std::promise<JobResult>>();
    result = promise->get_future();
    output = Buffer::allocate(input->size()).value();
    job->program = std::move(program);
    job->inputs = {std::move(input)};
    job->outputs = {output};
    job->token = token;
    job->owner = owner;
    job->done = [promise](JobResult value) { promise->set_value(std::move(value)); };
    REQUIRE(ipai::check_bindings(*job).ok());
  }
};

}  // namespace

TEST_CASE("jobs run and report in order") {
  Executor executor(std::make_unique<ipai::ProgramRunner>(2));
  const auto program = chain(10, 5000);
  std::vector<Run> runs;
  for (int i = 0; i < 50; ++i)
    runs.emplace_back(program, buffer_of(std::vector<float>(5000, static_cast<float>(i))));
  for (Run& run : runs) executor.submit(std::move(run.job));
  for (int i = 0; i < 50; ++i) {
    Run& run = runs[static_cast<size_t>(i)];
    REQUIRE(run.result.get().status.ok());
    CHECK(values_of(*run.output) == std::vector<float>(5000, static_cast<float>(i + 10)));
  }
}

TEST_CASE("a profile has the times of each node in order") {
  Executor executor(std::make_unique<ipai::ProgramRunner>(1));
  Run run(chain(3, 100), buffer_of(std::vector<float>(100)));
  run.job->profile = true;
  executor.submit(std::move(run.job));
  const JobResult result = run.result.get();
  REQUIRE(result.profile.size() == 3);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(result.profile[i].start_us <= result.profile[i].end_us);
    if (i > 0) CHECK(result.profile[i - 1].end_us <= result.profile[i].start_us);
  }
}

TEST_CASE("a cancelled job ends early, whether it runs or waits") {
  Executor executor(std::make_unique<ipai::ProgramRunner>(1));
  // Long enough to be still running when it is cancelled.
  const auto program = chain(20000, 100000);
  const auto input = buffer_of(std::vector<float>(100000));
  Run first(program, input);
  Run second(program, input);
  executor.submit(std::move(first.job));
  executor.submit(std::move(second.job));
  executor.cancel(second.token);
  CHECK(second.result.get().status.code == ErrorCode::kCancelled);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  executor.cancel(first.token);
  const ipai::Status status = first.result.get().status;
  CHECK(status.code == ErrorCode::kCancelled);
  CHECK(status.scope.rfind("node", 0) == 0);
}

TEST_CASE("draining ends an owner's jobs and leaves the others") {
  Executor executor(std::make_unique<ipai::ProgramRunner>(2));
  const int mine = 0;
  const int other = 0;
  const auto program = chain(2000, 100000);
  const auto input = buffer_of(std::vector<float>(100000));
  std::vector<Run> runs;
  for (int i = 0; i < 6; ++i)
    runs.emplace_back(i < 5 ? program : chain(2, 100000), input, i < 5 ? &mine : &other);
  for (Run& run : runs) executor.submit(std::move(run.job));
  executor.drain(&mine);
  CHECK(runs[5].result.get().status.ok());
}

TEST_CASE("destruction drops what waits") {
  const auto program = chain(2000, 100000);
  const auto input = buffer_of(std::vector<float>(100000));
  std::vector<Run> runs;
  {
    Executor executor(std::make_unique<ipai::ProgramRunner>(2));
    for (int i = 0; i < 5; ++i) runs.emplace_back(program, input);
    for (Run& run : runs) executor.submit(std::move(run.job));
  }
  CHECK(input.use_count() == 1);
}

TEST_CASE("the NaN check names the node that made it") {
  Executor executor(std::make_unique<ipai::ProgramRunner>(1));
  std::vector<float> values(100, 0.0f);
  values[42] = INFINITY;
  ipai::ProgramDescription description;
  static const ipai::OpRegistry ops(ipai::CpuTarget::kPortable);
  for (int i = 0; i < 3; ++i) description.tensors.push_back({DType::kFloat32, {100}});
  description.nodes.push_back({"affine", {0}, {1}, {{"scale", 1.0}, {"offset", 0.0}}, "fine"});
  description.nodes.push_back({"affine", {1}, {2}, {{"scale", 0.0}, {"offset", 0.0}}, "culprit"});
  description.inputs = {0};
  description.outputs = {2};
  for (const bool check : {false, true}) {
    Run run(ipai::compile_program(description, ops, {ipai::Device::kCpu, 1}).value(), buffer_of(values));
    run.job->check_nan = check;
    executor.submit(std::move(run.job));
    const ipai::Status status = run.result.get().status;
    CHECK(status.code == (check ? ErrorCode::kNumeric : ErrorCode::kNone));
    if (check) CHECK(status.scope == "culprit");
    if (check) CHECK(status.message == "affine: the output float32[100] has a NaN at element 42.");
  }
}

TEST_CASE("bindings that do not fit are refused") {
  const auto program = chain(1, 100);
  Run run(program, buffer_of(std::vector<float>(100)));
  Job& job = *run.job;
  job.inputs = {};
  CHECK(ipai::check_bindings(job).message == "run: expected 1 inputs, got 0.");
  job.inputs = {buffer_of({1, 2})};
  CHECK(ipai::check_bindings(job).message ==
        "run: inputs[0]: expected 400 bytes for float32[100], got a buffer of 8.");
  job.inputs = {job.outputs[0]};
  CHECK(ipai::check_bindings(job).message ==
        "run: outputs[0] shares memory with an input, a parameter or another output.");
  auto large = Buffer::allocate(800).value();
  job.inputs = {Buffer::view(large, 2, 400).value()};
  CHECK(ipai::check_bindings(job).message ==
        "run: inputs[0]: a view that does not begin at a multiple of its element size. Copy it first.");
}

TEST_CASE("the arena grows and can be given back") {
  ipai::Arena arena;
  REQUIRE(arena.reserve(1).ok());
  const size_t small = arena.capacity();
  CHECK(small >= 1);
  CHECK(reinterpret_cast<uintptr_t>(arena.data()) % ipai::kAlignment == 0);
  REQUIRE(arena.reserve(small * 3).ok());
  CHECK(arena.capacity() >= small * 3);
  std::memset(arena.data(), 1, arena.capacity());
  arena.trim();
  CHECK(arena.capacity() == 0);
  const ipai::Status too_much = arena.reserve(size_t{1} << 45);
  CHECK(too_much.code == ErrorCode::kOutOfMemory);
  CHECK(too_much.message.rfind("out of memory: 33554432.0 MiB needed for", 0) == 0);
}
