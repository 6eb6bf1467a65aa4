// Recorded nodes on a stream, one by one or as a graph.
#include <utility>
#include <vector>

#include "cuda/check.h"
#include "cuda/device.h"

namespace ipai::cuda {
namespace {

// More dynamic shared memory than this a kernel must be allowed to have.
constexpr size_t kSharedBytesAtOnce = 48 * 1024;

CudaRecording* create_recording(CudaDeviceHandle* device) {
  return new CudaRecording{device, Recording(device->traits)};
}

void free_recording(CudaRecording* recording) {
  delete recording;
}

void record(CudaRecording* recording, size_t op, const void* attributes, const NodeView* node,
            void* scratch) {
  recording->recording.add(op, attributes, *node, scratch);
}

void record_copy(CudaRecording* recording, void* target, const void* source, size_t bytes) {
  recording->recording.add_copy({target, source, bytes});
}

cudaError_t allow_shared_memory(CudaDeviceHandle& device, const KernelLaunch& launch) {
  if (launch.shape.dynamic_shared_bytes <= kSharedBytesAtOnce) return cudaSuccess;
  if (!device.large_kernels.insert(launch.kernel).second) return cudaSuccess;
  // All that is left beside the kernel's own.
  cudaFuncAttributes attributes;
  if (const cudaError_t error = cudaFuncGetAttributes(&attributes, launch.kernel); error != cudaSuccess)
    return error;
  const size_t bytes = device.traits.shared_bytes_per_block - attributes.sharedSizeBytes;
  return cudaFuncSetAttribute(launch.kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                              static_cast<int>(bytes));
}

std::vector<void*> arguments_of(const KernelLaunch& launch) {
  std::vector<void*> arguments;
  for (const size_t offset : launch.arguments.offsets)
    arguments.push_back(const_cast<std::byte*>(launch.arguments.bytes.data()) + offset);
  return arguments;
}

dim3 grid_of(const KernelLaunch& launch) {
  const GridExtent& grid = launch.shape.grid;
  return {grid.x, grid.y, grid.z};
}

CudaStatus launch_kernel(CudaDeviceHandle& device, const KernelLaunch& launch) {
  std::vector<void*> arguments = arguments_of(launch);
  cudaError_t error = allow_shared_memory(device, launch);
  if (error == cudaSuccess) {
    error = cudaLaunchKernel(launch.kernel, grid_of(launch), dim3(launch.shape.threads), arguments.data(),
                             launch.shape.dynamic_shared_bytes, device.stream);
  }
  return check(error, std::string("launching ") + launch.name);
}

CudaStatus launch_node(CudaRecording& recording, size_t index) {
  const RecordedNode& node = recording.recording.nodes()[index];
  for (size_t i = node.first_launch; i < node.last_launch; ++i) {
    const KernelLaunch& launch = recording.recording.launches()[i];
    if (CudaStatus status = launch_kernel(*recording.device, launch); !status.ok()) return status;
  }
  if (node.copy.bytes == 0) return {};
  return check(cudaMemcpyAsync(node.copy.target, node.copy.source, node.copy.bytes, cudaMemcpyDeviceToDevice,
                               recording.device->stream),
               "copying on the device");
}

CudaStatus launch(CudaRecording* recording, size_t node) {
  if (CudaStatus status = check(make_current(*recording->device), "launching"); !status.ok()) return status;
  return launch_node(*recording, node);
}

CudaStatus launch_between_events(CudaRecording& recording, const std::vector<cudaEvent_t>& events,
                                 double* ends_us) {
  const cudaStream_t stream = recording.device->stream;
  CudaStatus status = check(cudaEventRecord(events[0], stream), "recording an event");
  for (size_t i = 0; status.ok() && i + 1 < events.size(); ++i) {
    status = launch_node(recording, i);
    if (status.ok()) status = check(cudaEventRecord(events[i + 1], stream), "recording an event");
  }
  if (status.ok()) status = check(cudaStreamSynchronize(stream), "running kernels");
  for (size_t i = 0; status.ok() && i + 1 < events.size(); ++i) {
    float milliseconds = 0;
    status = check(cudaEventElapsedTime(&milliseconds, events[0], events[i + 1]), "reading an event");
    ends_us[i] = 1000.0 * milliseconds;
  }
  return status;
}

CudaStatus launch_timed(CudaRecording* recording, double* ends_us) {
  if (CudaStatus status = check(make_current(*recording->device), "launching"); !status.ok()) return status;
  std::vector<cudaEvent_t> events(recording->recording.nodes().size() + 1, nullptr);
  CudaStatus status;
  for (cudaEvent_t& event : events) {
    if (status.ok()) status = check(cudaEventCreate(&event), "making an event");
  }
  if (status.ok()) status = launch_between_events(*recording, events, ends_us);
  for (const cudaEvent_t event : events) {
    if (event != nullptr) (void)cudaEventDestroy(event);
  }
  return status;
}

// Adds a launch, or a copy, that waits for those before.
CudaStatus add_kernel(CudaDeviceHandle& device, const KernelLaunch& launch,
                      const std::vector<cudaGraphNode_t>& before, cudaGraph_t graph, cudaGraphNode_t* node) {
  std::vector<void*> arguments = arguments_of(launch);
  cudaKernelNodeParams parameters = {};
  parameters.func = const_cast<void*>(launch.kernel);
  parameters.gridDim = grid_of(launch);
  parameters.blockDim = dim3(launch.shape.threads);
  parameters.sharedMemBytes = static_cast<unsigned int>(launch.shape.dynamic_shared_bytes);
  parameters.kernelParams = arguments.data();
  cudaError_t error = allow_shared_memory(device, launch);
  if (error == cudaSuccess)
    error = cudaGraphAddKernelNode(node, graph, before.data(), before.size(), &parameters);
  return check(error, std::string("recording ") + launch.name);
}

CudaStatus add_copy(const CopyBytes& copy, const std::vector<cudaGraphNode_t>& before, cudaGraph_t graph,
                    cudaGraphNode_t* node) {
  return check(cudaGraphAddMemcpyNode1D(node, graph, before.data(), before.size(), copy.target, copy.source,
                                        copy.bytes, cudaMemcpyDeviceToDevice),
               "recording a copy");
}

CudaStatus add_nodes(CudaRecording& recording, const CudaNodeOrder& order, cudaGraph_t graph) {
  const std::vector<RecordedNode>& nodes = recording.recording.nodes();
  // By node: what those that follow wait for.
  std::vector<std::vector<cudaGraphNode_t>> ends(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    std::vector<cudaGraphNode_t> before;
    for (size_t j = i == 0 ? 0 : order.ends[i - 1]; j < order.ends[i]; ++j) {
      const auto& others = ends[static_cast<size_t>(order.predecessors[j])];
      before.insert(before.end(), others.begin(), others.end());
    }
    CudaStatus status;
    cudaGraphNode_t added = nullptr;
    for (size_t launch = nodes[i].first_launch; status.ok() && launch < nodes[i].last_launch; ++launch) {
      status = add_kernel(*recording.device, recording.recording.launches()[launch], before, graph, &added);
      before = {added};
    }
    if (status.ok() && nodes[i].copy.bytes > 0) {
      status = add_copy(nodes[i].copy, before, graph, &added);
      before = {added};
    }
    if (!status.ok()) return status;
    ends[i] = std::move(before);
  }
  return {};
}

CudaStatus instantiate(CudaRecording* recording, const CudaNodeOrder* order, CudaGraph** result) {
  if (CudaStatus status = check(make_current(*recording->device), "recording a graph"); !status.ok())
    return status;
  cudaGraph_t graph = nullptr;
  CudaStatus status = check(cudaGraphCreate(&graph, 0), "recording a graph");
  if (status.ok()) status = add_nodes(*recording, *order, graph);
  cudaGraphExec_t executable = nullptr;
  if (status.ok()) status = check(cudaGraphInstantiate(&executable, graph, 0), "making a graph");
  if (status.ok())
    status = check(cudaGraphUpload(executable, recording->device->stream), "copying a graph to the device");
  if (graph != nullptr) (void)cudaGraphDestroy(graph);
  if (status.ok()) *result = new CudaGraph{recording->device, executable};
  return status;
}

CudaStatus launch_graph(CudaGraph* graph) {
  cudaError_t error = make_current(*graph->device);
  if (error == cudaSuccess) error = cudaGraphLaunch(graph->graph, graph->device->stream);
  return check(error, "launching a graph");
}

void free_graph(CudaGraph* graph) {
  if (make_current(*graph->device) == cudaSuccess) (void)cudaGraphExecDestroy(graph->graph);
  delete graph;
}

}  // namespace

void add_launches(CudaInterface& interface) {
  interface.create_recording = create_recording;
  interface.free_recording = free_recording;
  interface.record = record;
  interface.record_copy = record_copy;
  interface.launch = launch;
  interface.launch_timed = launch_timed;
  interface.instantiate = instantiate;
  interface.launch_graph = launch_graph;
  interface.free_graph = free_graph;
}

}  // namespace ipai::cuda
