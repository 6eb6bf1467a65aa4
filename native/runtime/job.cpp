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

// Memory that a run writes to is nothing else's. `own` is the input that is this memory itself, -1 for none;
// outputs are checked up to `outputs`.
Status check_written(const Job& job, const Buffer& buffer, const std::string& name, int32_t own,
                     size_t outputs) {
  bool shared = false;
  for (size_t i = 0; i < job.inputs.size(); ++i) {
    shared |= static_cast<int32_t>(i) != own && overlap(buffer, *job.inputs[i]);
  }
  for (const auto& other : job.parameters) shared |= overlap(buffer, *other);
  for (size_t i = 0; i < outputs; ++i) shared |= overlap(buffer, *job.outputs[i]);
  if (shared) return Status::invalid(name + " shares memory with an input, a parameter or another output.");
  if (buffer.read_only()) return Status::invalid(name + " is read-only.");
  return Status::success();
}

}  // namespace

Status check_bindings(const Job& job) {
  Status status = check_group(*job.program, job.program->inputs, job.inputs, "inputs");
  if (status.ok()) status = check_group(*job.program, job.program->parameters, job.parameters, "parameters");
  if (status.ok()) status = check_group(*job.program, job.program->outputs, job.outputs, "outputs");
  for (size_t i = 0; status.ok() && i < job.outputs.size(); ++i) {
    const std::string name = "run: outputs[" + std::to_string(i) + "]";
    const int32_t input = job.program->plan.output_inputs[i];
    if (input >= 0 && job.outputs[i]->data() != job.inputs[static_cast<size_t>(input)]->data()) {
      return Status::invalid(name + ": expected the memory of inputs[" + std::to_string(input) +
                             "], which is donated for it.");
    }
    status = check_written(job, *job.outputs[i], name, input, i);
  }
  for (size_t i = 0; status.ok() && i < job.program->donated.size(); ++i) {
    const int32_t input = job.program->donated[i];
    const std::string name = "run: inputs[" + std::to_string(input) + "], which is donated,";
    status = check_written(job, *job.inputs[static_cast<size_t>(input)], name, input, 0);
  }
  return status;
}

}  // namespace ipai
