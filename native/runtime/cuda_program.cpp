#include "runtime/cuda_program.h"

#include "runtime/compute_device.h"
#include "runtime/cuda_library.h"
#include "runtime/node_order.h"

namespace ipai {
namespace {

// As of every allocation of the device.
constexpr size_t kPlaceAlignment = 256;

std::vector<std::byte*> addresses(const std::vector<std::shared_ptr<Buffer>>& buffers) {
  std::vector<std::byte*> result;
  for (const auto& buffer : buffers) result.push_back(buffer->data());
  return result;
}

std::byte* address(const CudaAddresses& places, const Storage& storage) {
  const auto index = static_cast<size_t>(storage.index);
  switch (storage.kind) {
    case Storage::Kind::kArena:
      return places.arena + storage.offset;
    case Storage::Kind::kInput:
      return places.inputs[index];
    case Storage::Kind::kParameter:
      return places.parameters[index];
    case Storage::Kind::kOutput:
      return places.outputs[index];
    case Storage::Kind::kUnused:
      return nullptr;
  }
  return nullptr;
}

// Addresses of the nodes of a recording: the program's, then its plan's copies.
std::vector<NodeAccess> accesses_of(const Program& program, const CudaAddresses& addresses) {
  std::vector<NodeAccess> accesses;
  const auto range_of = [](const std::byte* first, size_t bytes) {
    const auto begin = reinterpret_cast<uintptr_t>(first);
    return ByteRange{begin, begin + bytes};
  };
  const auto place_of = [&](int32_t tensor) {
    const auto index = static_cast<size_t>(tensor);
    return range_of(address(addresses, program.plan.tensors[index]), program.tensors[index].bytes);
  };
  for (size_t i = 0; i < program.nodes.size(); ++i) {
    NodeAccess& access = accesses.emplace_back();
    if (program.plan.is_alias[i]) continue;
    const ProgramNode& node = program.nodes[i];
    for (const int32_t input : node.inputs) {
      if (input >= 0) access.reads.push_back(place_of(input));
    }
    access.writes.push_back(place_of(node.output));
    if (node.scratch_bytes == 0) continue;
    access.writes.push_back(range_of(addresses.arena + program.plan.scratch_offsets[i], node.scratch_bytes));
  }
  for (const MemoryPlan::Copy& copy : program.plan.copies) {
    const std::byte* const target = addresses.outputs[static_cast<size_t>(copy.output)];
    const size_t bytes = program.tensors[static_cast<size_t>(copy.tensor)].bytes;
    accesses.push_back({{place_of(copy.tensor)}, {range_of(target, bytes)}});
  }
  return accesses;
}

std::byte* align_scratch(std::byte* scratch) {
  const size_t beyond = reinterpret_cast<uintptr_t>(scratch) % kCudaScratchAlignment;
  return beyond == 0 ? scratch : scratch + (kCudaScratchAlignment - beyond);
}

}  // namespace

CudaAddresses addresses_of(const Job& job, std::byte* arena) {
  return {arena, addresses(job.inputs), addresses(job.parameters), addresses(job.outputs)};
}

TensorView view_at(const Program& program, const CudaAddresses& addresses, int32_t tensor) {
  TensorView result;
  if (tensor < 0) {
    result.absent = true;
    return result;
  }
  const auto index = static_cast<size_t>(tensor);
  static_cast<TensorType&>(result) = program.tensors[index].type;
  result.data = address(addresses, program.plan.tensors[index]);
  return result;
}

CudaRecording* record_program(const CudaInterface& cuda, CudaDeviceHandle* device, const Program& program,
                              const CudaAddresses& addresses) {
  const Op* const first_op = program.device->registry().ops().data();
  CudaRecording* const recording = cuda.create_recording(device);
  std::vector<TensorView> inputs;
  for (size_t i = 0; i < program.nodes.size(); ++i) {
    const ProgramNode& node = program.nodes[i];
    if (program.plan.is_alias[i]) {
      cuda.record_copy(recording, nullptr, nullptr, 0);
      continue;
    }
    inputs.clear();
    for (const int32_t input : node.inputs) inputs.push_back(view_at(program, addresses, input));
    const TensorView output = view_at(program, addresses, node.output);
    const NodeView node_view{inputs.data(), static_cast<int>(inputs.size()), &output, 1};
    cuda.record(recording, static_cast<size_t>(node.op - first_op), node.attributes.get(), &node_view,
                align_scratch(addresses.arena + program.plan.scratch_offsets[i]));
  }
  for (const MemoryPlan::Copy& copy : program.plan.copies) {
    const auto tensor = static_cast<size_t>(copy.tensor);
    cuda.record_copy(recording, addresses.outputs[static_cast<size_t>(copy.output)],
                     address(addresses, program.plan.tensors[tensor]), program.tensors[tensor].bytes);
  }
  return recording;
}

CudaProgram::~CudaProgram() {
  drop_graph();
  if (block_ != nullptr) cuda_.free(device_, block_);
}

void CudaProgram::drop_graph() {
  if (graph_ != nullptr) cuda_.free_graph(graph_);
  graph_ = nullptr;
}

bool CudaProgram::repeats(const CudaAddresses& addresses) {
  const bool repeats = last_.arena == addresses.arena && last_.parameters == addresses.parameters &&
                       last_.inputs.size() == addresses.inputs.size();
  if (repeats) {
    find_moving_inputs(addresses);
  } else {
    drop_graph();
    moves_.assign(addresses.inputs.size(), false);
  }
  last_ = addresses;
  return repeats;
}

void CudaProgram::find_moving_inputs(const CudaAddresses& addresses) {
  for (size_t i = 0; i < moves_.size(); ++i) {
    if (moves_[i] || last_.inputs[i] == addresses.inputs[i]) continue;
    moves_[i] = true;
    drop_graph();
  }
}

Status CudaProgram::make_block(const Program& program) {
  size_t bytes = 0;
  std::vector<size_t> offsets;
  const auto add = [&](int32_t tensor) {
    offsets.push_back(bytes);
    const size_t size = program.tensors[static_cast<size_t>(tensor)].bytes;
    bytes += (size + kPlaceAlignment - 1) / kPlaceAlignment * kPlaceAlignment;
  };
  for (const int32_t tensor : program.inputs) add(tensor);
  for (size_t i = 0; i < program.outputs.size(); ++i) {
    if (program.plan.output_inputs[i] < 0) {
      add(program.outputs[i]);
    } else {
      offsets.push_back(offsets[static_cast<size_t>(program.plan.output_inputs[i])]);
    }
  }
  void* address = nullptr;
  if (Status status = from_cuda(cuda_.allocate(device_, bytes, &address)); !status.ok()) return status;
  block_ = static_cast<std::byte*>(address);
  for (size_t i = 0; i < offsets.size(); ++i)
    (i < program.inputs.size() ? input_places_ : output_places_).push_back(block_ + offsets[i]);
  return Status::success();
}

Status CudaProgram::make_graph(const Program& program, const CudaAddresses& addresses) {
  CudaAddresses places = addresses;
  places.outputs = output_places_;
  for (size_t i = 0; i < moves_.size(); ++i) {
    if (moves_[i]) places.inputs[i] = input_places_[i];
  }
  std::vector<int32_t> predecessors;
  std::vector<size_t> ends;
  for (const auto& waited : find_predecessors(accesses_of(program, places))) {
    predecessors.insert(predecessors.end(), waited.begin(), waited.end());
    ends.push_back(predecessors.size());
  }
  const CudaNodeOrder order = {predecessors.data(), ends.data()};
  CudaRecording* const recording = record_program(cuda_, device_, program, places);
  const Status status = from_cuda(cuda_.instantiate(recording, &order, &graph_));
  cuda_.free_recording(recording);
  return status;
}

Status CudaProgram::launch_graph(const Program& program, const CudaAddresses& addresses) {
  Status status;
  if (block_ == nullptr) status = make_block(program);
  if (status.ok() && graph_ == nullptr) status = make_graph(program, addresses);
  const auto bytes = [&](int32_t tensor) { return program.tensors[static_cast<size_t>(tensor)].bytes; };
  for (size_t i = 0; status.ok() && i < moves_.size(); ++i) {
    if (!moves_[i]) continue;
    status = from_cuda(cuda_.copy(device_, input_places_[i], addresses.inputs[i], bytes(program.inputs[i])));
  }
  if (status.ok()) status = from_cuda(cuda_.launch_graph(graph_));
  for (size_t i = 0; status.ok() && i < program.outputs.size(); ++i) {
    const int32_t input = program.plan.output_inputs[i];
    // It is where it belongs already.
    if (input >= 0 && !moves_[static_cast<size_t>(input)]) continue;
    status =
        from_cuda(cuda_.copy(device_, addresses.outputs[i], output_places_[i], bytes(program.outputs[i])));
  }
  return status;
}

}  // namespace ipai
