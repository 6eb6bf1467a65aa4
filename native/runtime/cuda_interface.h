// The border between the addon and libipai_cuda.so: one table of C functions, which the library hands out by
// name. Nothing of the standard library crosses it, so that the two may come from different compilers.
//
// What is behind it is either CUDA (native/cuda) or, in tests, an emulation on the host
// (test/native/cuda/device); all that stands on it (cuda_device, cuda_runner) is the same for both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "runtime/device_traits.h"
#include "runtime/op.h"

namespace ipai {

// Counts up with every change of what is below, of the types that it names, and of op attributes.
inline constexpr uint32_t kCudaInterfaceVersion = 3;
inline constexpr char kCudaInterfaceSymbol[] = "ipai_cuda_interface";

// Of the scratch memory that ops are given.
inline constexpr size_t kCudaScratchAlignment = 256;

// These cross the border as they are.
static_assert(std::is_trivially_copyable_v<TensorView> && std::is_trivially_copyable_v<DeviceTraits> &&
              std::is_trivially_copyable_v<InputRole>);

// A Status; `code` is an ErrorCode.
struct CudaStatus {
  uint8_t code = 0;
  char message[511] = {};

  bool ok() const { return code == 0; }
};

// Versions as CUDA writes them: 12040 for 12.4.
struct CudaMachine {
  // The newest CUDA that the driver serves; 0 when there is no driver.
  int driver_version = 0;
  // Of the CUDA runtime in the library: the oldest driver that it works with serves as much.
  int runtime_version = 0;
  int device_count = 0;
};

struct CudaDeviceInfo {
  char name[256] = {};
  DeviceTraits traits;
  uint64_t total_bytes = 0;
  uint64_t free_bytes = 0;
};

struct CudaAttribute {
  enum class Kind : uint8_t { kNumber, kText, kList };
  const char* name = nullptr;
  Kind kind = Kind::kNumber;
  double number = 0;
  const char* text = nullptr;
  const double* list = nullptr;
  size_t list_size = 0;
};

struct CudaAttributeSpec {
  const char* name;
  const char* type;
  const char* const* options;
  size_t option_count;
};

struct CudaOpDescription {
  const char* name;
  const InputRole* inputs;
  size_t input_count;
  const CudaAttributeSpec* attributes;
  size_t attribute_count;
  const int* in_place_inputs;
  size_t in_place_input_count;
  bool is_view;
  // Whether the op states these sizes itself.
  bool has_scratch_bytes;
  bool has_output_bytes;
  bool has_input_bytes;
};

struct CudaNodeTypes {
  const TensorType* inputs;
  size_t input_count;
  const TensorType* outputs;
  size_t output_count;
  DeviceTraits device;
};

// What those that are to make up a group know it by.
struct CudaGroupId {
  char bytes[128] = {};
};

// Which nodes of a recording wait for which: node i for those of `predecessors` between ends[i - 1], or 0,
// and ends[i].
struct CudaNodeOrder {
  const int32_t* predecessors;
  const size_t* ends;
};

// Owned by the library.
struct CudaDeviceHandle;
struct CudaGroup;
struct CudaRecording;
struct CudaGraph;

struct CudaInterface {
  uint32_t version;
  // Of this table.
  uint32_t bytes;

  CudaStatus (*machine)(CudaMachine* machine);
  CudaStatus (*describe)(int index, CudaDeviceInfo* info);
  // A device with a stream and a pool of memory, for good. All that follows may be called on any thread;
  // work on a device takes place in the order of the calls.
  CudaStatus (*open)(int index, CudaDeviceHandle** device);

  CudaStatus (*allocate)(CudaDeviceHandle* device, size_t bytes, void** address);
  // When all work begun before is done.
  void (*free)(CudaDeviceHandle* device, void* address);
  // Gives memory that is not in use back to the system.
  CudaStatus (*trim)(CudaDeviceHandle* device);
  // Returns when `source` may be changed again; the copy itself may be still under way.
  CudaStatus (*upload)(CudaDeviceHandle* device, void* target, const void* source, size_t bytes);
  // Returns when `target` holds the bytes.
  CudaStatus (*download)(CudaDeviceHandle* device, void* target, const void* source, size_t bytes);
  CudaStatus (*copy)(CudaDeviceHandle* device, void* target, const void* source, size_t bytes);
  // Waits for all work begun before.
  CudaStatus (*synchronize)(CudaDeviceHandle* device);

  const CudaOpDescription* ops;
  size_t op_count;
  CudaStatus (*parse)(size_t op, const CudaAttribute* values, size_t count, void** attributes);
  void (*free_attributes)(void* attributes);
  CudaStatus (*validate)(size_t op, const void* attributes, const CudaNodeTypes* types);
  size_t (*scratch_bytes)(size_t op, const void* attributes, const CudaNodeTypes* types);
  size_t (*output_bytes)(size_t op, const void* attributes, const CudaNodeTypes* types);
  size_t (*input_bytes)(size_t op, const void* attributes, const CudaNodeTypes* types, int index);

  // Nodes in a row, numbered as they are recorded, to be launched any number of times.
  CudaRecording* (*create_recording)(CudaDeviceHandle* device);
  void (*free_recording)(CudaRecording* recording);
  void (*record)(CudaRecording* recording, size_t op, const void* attributes, const NodeView* node,
                 void* scratch);
  void (*record_copy)(CudaRecording* recording, void* target, const void* source, size_t bytes);
  CudaStatus (*launch)(CudaRecording* recording, size_t node);
  // Launches all nodes, waits, and says when each had ended, in microseconds since the first began.
  CudaStatus (*launch_timed)(CudaRecording* recording, double* ends_us);
  // All nodes as one graph, which does not need the recording any more. Nodes that do not wait for each other
  // may run beside each other.
  CudaStatus (*instantiate)(CudaRecording* recording, const CudaNodeOrder* order, CudaGraph** graph);
  CudaStatus (*launch_graph)(CudaGraph* graph);
  void (*free_graph)(CudaGraph* graph);

  // Devices of several processes, which sum by NCCL. Its version as that writes it, 22803 for 2.28.3; 0 where
  // it is not found.
  int (*nccl_version)();
  CudaStatus (*name_group)(CudaGroupId* id);
  // Returns when `size` processes have joined.
  CudaStatus (*join_group)(CudaDeviceHandle* device, const CudaGroupId* id, int rank, int size,
                           CudaGroup** group);
  // Replaces arrays by their sums over the group, with equal bits for all; all must call it alike.
  CudaStatus (*sum_over_group)(CudaGroup* group, float* const* arrays, const size_t* counts,
                               size_t array_count);
  void (*leave_group)(CudaGroup* group);
};

// The one symbol of the library.
using CudaInterfaceFunction = const CudaInterface* (*)();

}  // namespace ipai
