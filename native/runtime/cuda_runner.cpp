#include "runtime/cuda_runner.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>

#include "runtime/cuda_device.h"
#include "runtime/cuda_library.h"
#include "runtime/nan_check.h"

namespace ipai {
namespace {

// What an arena grows by, so that programs of nearly equal size share one.
constexpr size_t kArenaStep = size_t{2} << 20;

double now_us() {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// A recording that is freed at the end of its scope.
class OwnRecording {
 public:
  OwnRecording(const CudaInterface& cuda, CudaRecording* recording) : cuda_(cuda), recording_(recording) {}
  ~OwnRecording() { cuda_.free_recording(recording_); }
  OwnRecording(const OwnRecording&) = delete;
  OwnRecording& operator=(const OwnRecording&) = delete;

  CudaRecording* get() const { return recording_; }

 private:
  const CudaInterface& cuda_;
  CudaRecording* recording_;
};

Status cancelled(const std::string& scope) {
  return {ErrorCode::kCancelled, "run: cancelled.", scope};
}

}  // namespace

JobResult CudaRunner::run(const Job& job) {
  JobResult result;
  try {
    for (const auto* buffers : {&job.inputs, &job.parameters}) {
      for (const auto& buffer : *buffers) {
        if (result.status.ok()) result.status = buffer->failure();
      }
    }
    if (result.status.ok()) result.status = reserve_arena(job.program->plan.peak_bytes);
    if (result.status.ok()) result.status = run_program(job, result.profile);
  } catch (const std::exception& error) {
    result.status = {ErrorCode::kInternal, error.what()};
  }
  return result;
}

void CudaRunner::trim() {
  if (arena_ != nullptr) cuda_.free(device_, arena_);
  arena_ = nullptr;
  arena_bytes_ = 0;
  (void)cuda_.trim(device_);
}

Status CudaRunner::reserve_arena(size_t bytes) {
  if (bytes <= arena_bytes_) return Status::success();
  const size_t rounded = (bytes + kArenaStep - 1) / kArenaStep * kArenaStep;
  if (arena_ != nullptr) cuda_.free(device_, arena_);
  arena_ = nullptr;
  arena_bytes_ = 0;
  void* address = nullptr;
  const CudaStatus taken = cuda_.allocate(device_, rounded, &address);
  if (taken.code == static_cast<uint8_t>(ErrorCode::kOutOfMemory))
    return out_of_cuda_memory(cuda_, index_, rounded, "the intermediate values of a program");
  if (!taken.ok()) return from_cuda(taken);
  arena_ = static_cast<std::byte*>(address);
  arena_bytes_ = rounded;
  peak_arena_bytes_ = std::max(peak_arena_bytes_.load(), rounded);
  return Status::success();
}

Status CudaRunner::run_program(const Job& job, std::vector<NodeTime>& profile) {
  const Program& program = *job.program;
  const std::string scope = program.nodes.empty() ? "" : program.nodes[0].scope;
  if (job.token->cancelled) return cancelled(scope);
  const CudaAddresses addresses = addresses_of(job, arena_);
  if (job.profile) return time_nodes(job, addresses, profile);
  if (job.check_nan) return launch_nodes(job, addresses);

  if (program.on_device == nullptr) program.on_device = std::make_shared<CudaProgram>(cuda_, device_);
  auto& on_device = *static_cast<CudaProgram*>(program.on_device.get());
  if (!on_device.repeats(addresses)) return launch_nodes(job, addresses);
  const Status status = on_device.launch_graph(program, addresses);
  // A graph needs memory of its own, without which a program runs too.
  if (status.code == ErrorCode::kOutOfMemory) return launch_nodes(job, addresses);
  return status.ok() ? wait(scope) : status;
}

Status CudaRunner::launch_nodes(const Job& job, const CudaAddresses& addresses) {
  const Program& program = *job.program;
  const OwnRecording recording(cuda_, record_program(cuda_, device_, program, addresses));
  for (size_t node = 0; node < program.nodes.size(); ++node) {
    const std::string& scope = program.nodes[node].scope;
    if (job.token->cancelled) {
      const Status status = wait(scope);
      return status.ok() ? cancelled(scope) : status;
    }
    if (Status status = from_cuda(cuda_.launch(recording.get(), node), scope); !status.ok()) return status;
    if (!job.check_nan) continue;
    if (Status status = check_output(job, node, addresses); !status.ok()) return status;
  }
  for (size_t copy = 0; copy < program.plan.copies.size(); ++copy) {
    const CudaStatus status = cuda_.launch(recording.get(), program.nodes.size() + copy);
    if (!status.ok()) return from_cuda(status);
  }
  return wait(program.nodes.empty() ? "" : program.nodes[0].scope);
}

Status CudaRunner::time_nodes(const Job& job, const CudaAddresses& addresses,
                              std::vector<NodeTime>& profile) {
  const Program& program = *job.program;
  const OwnRecording recording(cuda_, record_program(cuda_, device_, program, addresses));
  std::vector<double> ends(program.nodes.size() + program.plan.copies.size());
  if (ends.empty()) return Status::success();
  if (Status status = from_cuda(cuda_.launch_timed(recording.get(), ends.data())); !status.ok())
    return status;
  // The device's clock is not the host's: the last node ended about now.
  const double begin = now_us() - ends.back();
  for (size_t node = 0; node < program.nodes.size(); ++node)
    profile.push_back({begin + (node > 0 ? ends[node - 1] : 0), begin + ends[node]});
  return Status::success();
}

Status CudaRunner::wait(const std::string& scope) {
  Status status = from_cuda(cuda_.synchronize(device_), scope);
  if (!status.ok()) {
    status.message +=
        " It happened in the program that begins at the place named; set IPAI_CHECK_NAN=1 to learn the op.";
  }
  return status;
}

Status CudaRunner::check_output(const Job& job, size_t index, const CudaAddresses& addresses) {
  const ProgramNode& node = job.program->nodes[index];
  if (Status status = from_cuda(cuda_.synchronize(device_), node.scope); !status.ok()) {
    status.message = node.op->name + ": " + status.message;
    return status;
  }
  const size_t bytes = job.program->tensors[static_cast<size_t>(node.output)].bytes;
  TensorView output = view_at(*job.program, addresses, node.output);
  if (output.dense_bytes() != bytes) return Status::success();
  std::vector<std::byte> values(bytes);
  Status status = from_cuda(cuda_.download(device_, values.data(), output.data, bytes), node.scope);
  if (!status.ok()) return status;
  output.data = values.data();
  return check_for_nan(output, node.op->name, node.scope);
}

}  // namespace ipai
