// The door of libipai_cuda.so: what the addon looks up by name after it has opened the library.
#include "cuda/device.h"
#include "cuda/op_table.h"

namespace {

ipai::CudaInterface make_interface() {
  ipai::CudaInterface interface = {};
  interface.version = ipai::kCudaInterfaceVersion;
  interface.bytes = sizeof(interface);
  ipai::cuda::add_device(interface);
  ipai::cuda::add_memory(interface);
  ipai::cuda::add_launches(interface);
  ipai::cuda::add_groups(interface);
  ipai::cuda::add_ops(interface);
  return interface;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const ipai::CudaInterface* ipai_cuda_interface() {
  static const ipai::CudaInterface interface = make_interface();
  return &interface;
}
