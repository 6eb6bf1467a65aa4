#include "runtime/program_runner.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <new>

#include "runtime/cpu_context.h"
#include "runtime/nan_check.h"
#include "runtime/pages.h"
#include "runtime/system_memory.h"

namespace ipai {

JobResult ProgramRunner::run(const Job& job) {
  JobResult result;
  try {
    result.status = arena_.reserve(job.program->plan.peak_bytes);
    arena_bytes_ = arena_.capacity();
    peak_arena_bytes_ = std::max(peak_arena_bytes_.load(), arena_.capacity());
    if (result.status.ok()) result.status = run_nodes(job, result.profile);
    if (result.status.ok()) copy_outputs(job);
  } catch (const std::bad_alloc&) {
    result.status = out_of_memory(job.program->plan.peak_bytes, "a program and its working memory");
  } catch (const std::exception& error) {
    result.status = {ErrorCode::kInternal, error.what()};
  }
  return result;
}

void ProgramRunner::trim() {
  arena_.trim();
  trim_pages();
  arena_bytes_ = 0;
}

Status ProgramRunner::run_nodes(const Job& job, std::vector<NodeTime>& profile) {
  const auto now_us = [] {
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  };
  if (job.profile) profile.reserve(job.program->nodes.size());
  for (size_t node = 0; node < job.program->nodes.size(); ++node) {
    if (job.token->cancelled)
      return {ErrorCode::kCancelled, "run: cancelled.", job.program->nodes[node].scope};
    const double start = job.profile ? now_us() : 0;
    if (Status status = run_node(job, node); !status.ok()) return status;
    if (job.profile) profile.push_back({start, now_us()});
  }
  return Status::success();
}

Status ProgramRunner::run_node(const Job& job, size_t index) {
  const Program& program = *job.program;
  if (program.plan.is_alias[index]) return Status::success();
  const ProgramNode& node = program.nodes[index];
  input_views_.resize(node.inputs.size());
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] >= 0) {
      view(job, node.inputs[i], input_views_[i]);
    } else {
      input_views_[i] = TensorView();
      input_views_[i].absent = true;
    }
  }
  TensorView output;
  view(job, node.output, output);
  CpuContext context(pool_, arena_.data() + program.plan.scratch_offsets[index]);
  const NodeView node_view{input_views_.data(), static_cast<int>(input_views_.size()), &output, 1};
  node.op->run(node.attributes.get(), node_view, context);
  release_weight_pages(job, node);

  const bool dense = program.tensors[static_cast<size_t>(node.output)].bytes == output.dense_bytes();
  if (!job.check_nan || !dense) return Status::success();
  return check_for_nan(output, node.op->name, node.scope);
}

// Weights in their files are read once, by the node that brings them into its layout.
void ProgramRunner::release_weight_pages(const Job& job, const ProgramNode& node) {
  for (const int32_t input : node.inputs) {
    if (input < 0) continue;
    const Storage& storage = job.program->plan.tensors[static_cast<size_t>(input)];
    if (storage.kind == Storage::Kind::kParameter) {
      job.parameters[static_cast<size_t>(storage.index)]->release_pages();
    }
  }
}

void ProgramRunner::copy_outputs(const Job& job) {
  for (const MemoryPlan::Copy& copy : job.program->plan.copies) {
    const auto tensor = static_cast<size_t>(copy.tensor);
    std::memcpy(job.outputs[static_cast<size_t>(copy.output)]->data(),
                address(job, job.program->plan.tensors[tensor]), job.program->tensors[tensor].bytes);
  }
}

void* ProgramRunner::address(const Job& job, const Storage& storage) const {
  const auto index = static_cast<size_t>(storage.index);
  switch (storage.kind) {
    case Storage::Kind::kArena:
      return arena_.data() + storage.offset;
    case Storage::Kind::kInput:
      return job.inputs[index]->data();
    case Storage::Kind::kParameter:
      return job.parameters[index]->data();
    case Storage::Kind::kOutput:
      return job.outputs[index]->data();
    case Storage::Kind::kUnused:
      return nullptr;
  }
  return nullptr;
}

void ProgramRunner::view(const Job& job, int32_t tensor, TensorView& result) const {
  const auto index = static_cast<size_t>(tensor);
  static_cast<TensorType&>(result) = job.program->tensors[index].type;
  result.data = address(job, job.program->plan.tensors[index]);
}

}  // namespace ipai
