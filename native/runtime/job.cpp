#include "runtime/job.h"

#include <string>

#include "runtime/compute_device.h"

namespace ipai {
namespace {

using Buffers = std::vector<std::shared_ptr<Buffer>>;

Status check_group(const Program& program, const std::vector<int32_t>& ids, const Buffers& buffers,
                   const char* what) {
  if (buffers.size() != ids.size()) {
    return Status::invalid("run: expected " + std::to_string(ids.size()) + " " + what + ", got " +
                           std::to_string(buffers.size()) + ".");
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    const ProgramTensor& tensor = program.tensors[static_cast<size_t>(ids[i])];
    const std::string name = std::string("run: ") + what + "[" + std::to_string(i) + "]";
    if (buffers[i]->size() < tensor.bytes) {
      return Status::invalid(name + ": expected " + std::to_string(tensor.bytes) + " bytes for " +
                             dtype_name(tensor.type.dtype) + tensor.type.shape.to_string() +
                             ", got a buffer of " + std::to_string(buffers[i]->size()) + ".");
    }
    if (program.device != nullptr && !program.device->holds(*buffers[i])) {
      const ComputeDevice* const place = buffers[i]->device();
      return Status::invalid(name + ": expected a tensor on " + program.device->name() + ", got one on " +
                             (place != nullptr ? place->name() : "cpu") + ". Make it there.");
    }
    if (reinterpret_cast<uintptr_t>(buffers[i]->data()) % dtype_size(tensor.type.dtype) != 0) {
      return Status::invalid(
          name + ": a view that does not begin at a multiple of its element size. Copy it first.");
    }
  }
  return Status::success();
}

bool overlap(const Buffer& a, const Buffer& b) {
  return a.data() < b.data() + b.size() && b.data() < a.data() + a.size();
}

}  // namespace

Status check_bindings(const Job& job) {
  Status status = check_group(*job.program, job.program->inputs, job.inputs, "inputs");
  if (status.ok()) status = check_group(*job.program, job.program->parameters, job.parameters, "parameters");
  if (status.ok()) status = check_group(*job.program, job.program->outputs, job.outputs, "outputs");
  if (!status.ok()) return status;
  for (size_t i = 0; i < job.outputs.size(); ++i) {
    const Buffer& output = *job.outputs[i];
    bool shared = false;
    for (const auto& other : job.inputs) shared |= overlap(output, *other);
    for (const auto& other : job.parameters) shared |= overlap(output, *other);
    for (size_t j = 0; j < i; ++j) shared |= overlap(output, *job.outputs[j]);
    const std::string name = "run: outputs[" + std::to_string(i) + "]";
    if (shared) return Status::invalid(name + " shares memory with an input, a parameter or another output.");
    if (output.read_only()) return Status::invalid(name + " is read-only.");
  }
  return Status::success();
}

}  // namespace ipai
