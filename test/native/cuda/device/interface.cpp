// The interface of libipai_cuda.so over the emulated device: for tests of all that stands on it.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <queue>

#include "cuda/nccl.h"
#include "cuda/op_table.h"
#include "device/emulated_device.h"
#include "device/settings.h"
#include "emulation/launch.h"

namespace ipai::cuda::emulation {

Counts counts;

namespace {

CudaStatus machine(CudaMachine* machine) {
  const Settings now = settings();
  *machine = {now.driver, 13000, now.driver > 0 ? now.devices : 0};
  return {};
}

CudaDeviceHandle& the_device() {
  static auto* const device = new CudaDeviceHandle;
  return *device;
}

CudaStatus describe(int, CudaDeviceInfo* info) {
  *info = {};
  const Settings now = settings();
  std::strcpy(info->name, "an emulated device");
  info->traits = {Device::kCuda, 1, now.capability, 132, 227 * 1024};
  info->total_bytes = now.memory << 20;
  CudaDeviceHandle& device = the_device();
  const std::lock_guard<std::mutex> lock(device.mutex);
  info->free_bytes = info->total_bytes - std::min<uint64_t>(info->total_bytes, device.bytes);
  return {};
}

CudaStatus open(int index, CudaDeviceHandle** device) {
  CudaDeviceInfo info;
  (void)describe(index, &info);
  *device = &the_device();
  (*device)->traits = info.traits;
  return {};
}

CudaStatus allocate(CudaDeviceHandle* device, size_t bytes, void** address) {
  return device->allocate(bytes, address);
}

void free(CudaDeviceHandle* device, void* address) {
  device->free(address);
}

CudaStatus trim(CudaDeviceHandle* device) {
  return device->wait();
}

CudaStatus upload(CudaDeviceHandle* device, void* target, const void* source, size_t bytes) {
  if (CudaStatus status = device->check_block(target, bytes); !status.ok()) return status;
  const auto* const first = static_cast<const std::byte*>(source);
  device->enqueue([target, staged = std::vector<std::byte>(first, first + bytes)] {
    std::memcpy(target, staged.data(), staged.size());
    return CudaStatus();
  });
  return {};
}

CudaStatus download(CudaDeviceHandle* device, void* target, const void* source, size_t bytes) {
  if (CudaStatus status = device->check_block(source, bytes); !status.ok()) return status;
  const CudaStatus status = device->wait();
  if (status.ok()) std::memcpy(target, source, bytes);
  return status;
}

CudaStatus copy(CudaDeviceHandle* device, void* target, const void* source, size_t bytes) {
  return device->copy(target, source, bytes);
}

CudaStatus synchronize(CudaDeviceHandle* device) {
  return device->wait();
}

CudaRecording* create_recording(CudaDeviceHandle* device) {
  ++counts.recordings;
  return new CudaRecording{device, Recording(device->traits)};
}

void free_recording(CudaRecording* recording) {
  --counts.recordings;
  delete recording;
}

void record(CudaRecording* recording, size_t op, const void* attributes, const NodeView* node,
            void* scratch) {
  if (reinterpret_cast<uintptr_t>(scratch) % kCudaScratchAlignment != 0)
    recording->device->enqueue(
        [] { return to_status(ErrorCode::kInternal, "scratch that is not aligned."); });
  recording->recording.add(op, attributes, *node, scratch);
}

void record_copy(CudaRecording* recording, void* target, const void* source, size_t bytes) {
  recording->recording.add_copy({target, source, bytes});
}

CudaStatus enqueue_node(CudaDeviceHandle& device, const Recording& recording, size_t index) {
  const RecordedNode& node = recording.nodes()[index];
  if (node.copy.bytes > 0) return device.copy(node.copy.target, node.copy.source, node.copy.bytes);
  const auto first = recording.launches().begin();
  const std::vector<KernelLaunch> launches(first + static_cast<ptrdiff_t>(node.first_launch),
                                           first + static_cast<ptrdiff_t>(node.last_launch));
  device.enqueue([launches] {
    const std::string fail = settings().fail;
    for (const KernelLaunch& launch : launches) {
      if (launch.name == fail) {
        return to_status(ErrorCode::kInternal,
                         "cuda: running kernels: an illegal memory access was encountered "
                         "(cudaErrorIllegalAddress).");
      }
    }
    const Status status = emulation::run(launches, Order::kFirstToLast);
    return to_status(status.code, status.message);
  });
  return {};
}

CudaStatus launch(CudaRecording* recording, size_t node) {
  ++counts.node_launches;
  return enqueue_node(*recording->device, recording->recording, node);
}

CudaStatus launch_timed(CudaRecording* recording, double* ends_us) {
  CudaStatus status = recording->device->wait();
  const auto begin = std::chrono::steady_clock::now();
  for (size_t i = 0; status.ok() && i < recording->recording.nodes().size(); ++i) {
    status = launch(recording, i);
    if (status.ok()) status = recording->device->wait();
    ends_us[i] = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count();
  }
  return status;
}

// The nodes as far from their own order as what they wait for allows: of those that may begin, always the
// last.
std::vector<size_t> last_first(const CudaNodeOrder& order, size_t nodes) {
  std::vector<std::vector<size_t>> followers(nodes);
  std::vector<size_t> waits(nodes);
  for (size_t i = 0; i < nodes; ++i) {
    const size_t first = i == 0 ? 0 : order.ends[i - 1];
    waits[i] = order.ends[i] - first;
    for (size_t j = first; j < order.ends[i]; ++j)
      followers[static_cast<size_t>(order.predecessors[j])].push_back(i);
  }
  std::priority_queue<size_t> ready;
  for (size_t i = 0; i < nodes; ++i) {
    if (waits[i] == 0) ready.push(i);
  }
  std::vector<size_t> sequence;
  while (!ready.empty()) {
    sequence.push_back(ready.top());
    ready.pop();
    for (const size_t follower : followers[sequence.back()]) {
      if (--waits[follower] == 0) ready.push(follower);
    }
  }
  return sequence;
}

CudaStatus instantiate(CudaRecording* recording, const CudaNodeOrder* order, CudaGraph** graph) {
  ++counts.graphs;
  const size_t nodes = recording->recording.nodes().size();
  *graph = new CudaGraph{recording->device, recording->recording, last_first(*order, nodes)};
  return {};
}

CudaStatus launch_graph(CudaGraph* graph) {
  ++counts.graph_launches;
  CudaStatus status;
  for (size_t i = 0; status.ok() && i < graph->sequence.size(); ++i)
    status = enqueue_node(*graph->device, graph->recording, graph->sequence[i]);
  return status;
}

void free_graph(CudaGraph* graph) {
  --counts.graphs;
  delete graph;
}

CudaStatus join_group(CudaDeviceHandle* device, const CudaGroupId* id, int rank, int size,
                      CudaGroup** result) {
  NcclGroup nccl;
  const CudaStatus status = NcclGroup::join(*id, rank, size, &nccl);
  if (status.ok()) *result = new CudaGroup{device, nccl};
  return status;
}

CudaStatus sum_over_group(CudaGroup* group, float* const* arrays, const size_t* counts, size_t array_count) {
  const CudaStatus status = group->device->wait();
  return status.ok() ? group->nccl.sum(arrays, counts, array_count, nullptr) : status;
}

void leave_group(CudaGroup* group) {
  group->nccl.leave();
  delete group;
}

CudaInterface make_interface() {
  CudaInterface interface = {};
  interface.version = kCudaInterfaceVersion;
  interface.bytes = sizeof(interface);
  interface.machine = machine;
  interface.describe = describe;
  interface.open = open;
  interface.allocate = allocate;
  interface.free = free;
  interface.trim = trim;
  interface.upload = upload;
  interface.download = download;
  interface.copy = copy;
  interface.synchronize = synchronize;
  interface.create_recording = create_recording;
  interface.free_recording = free_recording;
  interface.record = record;
  interface.record_copy = record_copy;
  interface.launch = launch;
  interface.launch_timed = launch_timed;
  interface.instantiate = instantiate;
  interface.launch_graph = launch_graph;
  interface.free_graph = free_graph;
  interface.nccl_version = nccl_version;
  interface.name_group = nccl_name;
  interface.join_group = join_group;
  interface.sum_over_group = sum_over_group;
  interface.leave_group = leave_group;
  add_ops(interface);
  return interface;
}

}  // namespace
}  // namespace ipai::cuda::emulation

extern "C" __attribute__((visibility("default"))) const ipai::CudaInterface* ipai_cuda_interface() {
  static const ipai::CudaInterface interface = ipai::cuda::emulation::make_interface();
  return &interface;
}
