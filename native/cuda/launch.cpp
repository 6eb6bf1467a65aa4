// Recorded nodes on a stream, one by one or as a graph.
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

CudaStatus launch_kernel(CudaDeviceHandle& device, const KernelLaunch& launch, cudaStream_t stream) {
  std::vector<void*> arguments;
  for (const size_t offset : launch.arguments.offsets)
    arguments.push_back(const_cast<std::byte*>(launch.arguments.bytes.data()) + offset);
  const LaunchShape& shape = launch.shape;
  cudaError_t error = allow_shared_memory(device, launch);
  if (error == cudaSuccess) {
    error = cudaLaunchKernel(launch.kernel, dim3(shape.grid.x, shape.grid.y, shape.grid.z),
                             dim3(shape.threads), arguments.data(), shape.dynamic_shared_bytes, stream);
  }
  return check(error, std::string("launching ") + launch.name);
}

CudaStatus launch_node(CudaRecording& recording, size_t index, cudaStream_t stream) {
  const RecordedNode& node = recording.recording.nodes()[index];
  for (size_t i = node.first_launch; i < node.last_launch; ++i) {
    const KernelLaunch& launch = recording.recording.launches()[i];
    if (CudaStatus status = launch_kernel(*recording.device, launch, stream); !status.ok()) return status;
  }
  if (node.copy.bytes == 0) return {};
  return check(
      cudaMemcpyAsync(node.copy.target, node.copy.source, node.copy.bytes, cudaMemcpyDeviceToDevice, stream),
      "copying on the device");
}

CudaStatus launch(CudaRecording* recording, size_t node) {
  if (CudaStatus status = check(make_current(*recording->device), "launching"); !status.ok()) return status;
  return launch_node(*recording, node, recording->device->stream);
}

CudaStatus launch_between_events(CudaRecording& recording, const std::vector<cudaEvent_t>& events,
                                 double* ends_us) {
  const cudaStream_t stream = recording.device->stream;
  CudaStatus status = check(cudaEventRecord(events[0], stream), "recording an event");
  for (size_t i = 0; status.ok() && i + 1 < events.size(); ++i) {
    status = launch_node(recording, i, stream);
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

CudaStatus capture(CudaRecording& recording, cudaGraph_t* graph) {
  const cudaStream_t stream = recording.device->capture_stream;
  CudaStatus status =
      check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "recording a graph");
  if (!status.ok()) return status;
  for (size_t i = 0; status.ok() && i < recording.recording.nodes().size(); ++i) {
    status = launch_node(recording, i, stream);
  }
  const CudaStatus ended = check(cudaStreamEndCapture(stream, graph), "recording a graph");
  return status.ok() ? ended : status;
}

CudaStatus instantiate(CudaRecording* recording, CudaGraph** result) {
  if (CudaStatus status = check(make_current(*recording->device), "recording a graph"); !status.ok())
    return status;
  cudaGraph_t graph = nullptr;
  CudaStatus status = capture(*recording, &graph);
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
