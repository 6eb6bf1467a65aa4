// What a CUDA device knows of a program between its runs: its launches, and from the second run on, its
// graph.
//
// A graph holds addresses. Those of parameters and of inputs that stay where they are from run to run (keys
// and values of a prompt) are taken as they are; inputs that move are copied to a fixed place first, outputs
// from one afterwards. A program whose parameters move, because they are made anew for each run, has no
// graph.
#pragma once

#include <vector>

#include "runtime/cuda_interface.h"
#include "runtime/job.h"

namespace ipai {

// Where a run finds its tensors.
struct CudaAddresses {
  std::byte* arena = nullptr;
  std::vector<std::byte*> inputs;
  std::vector<std::byte*> parameters;
  std::vector<std::byte*> outputs;
};

CudaAddresses addresses_of(const Job& job, std::byte* arena);
// A tensor of the program; absent when its number is negative.
TensorView view_at(const Program& program, const CudaAddresses& addresses, int32_t tensor);

// The program's nodes, each as one of the recording, then the copies of its plan. To be freed by the caller.
CudaRecording* record_program(const CudaInterface& cuda, CudaDeviceHandle* device, const Program& program,
                              const CudaAddresses& addresses);

// All on the executor's thread, but for the destructor.
class CudaProgram {
 public:
  CudaProgram(const CudaInterface& cuda, CudaDeviceHandle* device) : cuda_(cuda), device_(device) {}
  ~CudaProgram();
  CudaProgram(const CudaProgram&) = delete;
  CudaProgram& operator=(const CudaProgram&) = delete;

  // Whether a run with these addresses is one that a graph pays for: the last one had the same parameters.
  // Takes note of them.
  bool repeats(const CudaAddresses& addresses);
  // Launches the graph, which is made first where there is none yet. Does not wait.
  Status launch_graph(const Program& program, const CudaAddresses& addresses);

 private:
  void drop_graph();
  void find_moving_inputs(const CudaAddresses& addresses);
  Status make_block(const Program& program);
  Status make_graph(const Program& program, const CudaAddresses& addresses);

  const CudaInterface& cuda_;
  CudaDeviceHandle* device_;
  // Of the run before.
  CudaAddresses last_;
  // By input: whether it has been found elsewhere than the run before had it.
  std::vector<bool> moves_;
  // Fixed places of all inputs and outputs; one that stays unused is a small loss.
  std::byte* block_ = nullptr;
  std::vector<std::byte*> input_places_;
  std::vector<std::byte*> output_places_;
  CudaGraph* graph_ = nullptr;
};

}  // namespace ipai
