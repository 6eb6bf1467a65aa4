// Where each tensor of a program lives while it runs: all intermediates share one arena, at offsets known
// beforehand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ipai {

// A program as the planner sees it: sizes and who reads what.
struct PlanRequest {
  struct Node {
    std::vector<int32_t> inputs;  // tensor ids, -1 for an absent one
    int32_t output = 0;
    // Positions in `inputs` whose memory the output may take over.
    std::vector<int> in_place_inputs;
    // The output is input 0 under another shape.
    bool is_view = false;
    size_t scratch_bytes = 0;
  };

  std::vector<size_t> tensor_bytes;
  std::vector<Node> nodes;  // in the order they run
  std::vector<int32_t> inputs;
  std::vector<int32_t> parameters;
  std::vector<int32_t> outputs;
  // Positions in `inputs` that are not needed afterwards: what is computed from them may take their memory.
  std::vector<int32_t> donated;
  // Whether nodes that do not need each other's results run beside each other.
  bool runs_side_by_side = false;
};

// Memory of one tensor: an offset in the arena, or a buffer that the caller binds at each run.
struct Storage {
  enum class Kind : uint8_t { kUnused, kArena, kInput, kParameter, kOutput };
  Kind kind = Kind::kUnused;
  // Index among the program's inputs, parameters or outputs; for the arena, index of the plan's row.
  int32_t index = 0;
  size_t offset = 0;
};

// One block of the arena, in use while nodes first..last run.
struct PlanRow {
  // The tensor that the block was made for; -1 for a node's scratch.
  int32_t tensor = -1;
  int32_t first_node = 0;
  int32_t last_node = 0;
  size_t offset = 0;
  size_t bytes = 0;
};

struct MemoryPlan {
  size_t peak_bytes = 0;
  // No plan can need less: the most bytes that are live at one time.
  size_t lower_bound_bytes = 0;
  std::vector<PlanRow> rows;
  // By tensor id.
  std::vector<Storage> tensors;
  // By node: offset of its scratch in the arena.
  std::vector<size_t> scratch_offsets;
  // By node: whether the output is already where it belongs, so that the node need not run.
  std::vector<bool> is_alias;
  // Outputs that are another name of something else, copied after the last node.
  struct Copy {
    int32_t tensor = 0;
    int32_t output = 0;
  };
  std::vector<Copy> copies;
  // By output: the position of the donated input in whose memory it lives, or -1.
  std::vector<int32_t> output_inputs;
};

// Every tensor of a node must be bound, or be the output of an earlier node, exactly once. Takes time
// quadratic in the number of blocks.
MemoryPlan plan_memory(const PlanRequest& request);

// Sets the offsets of `rows` so that rows whose times overlap do not overlap in memory. Returns the bytes
// needed. Tries greedy best fit with the largest rows first (Pisarchyk & Lee 2020, "Efficient Memory
// Management for Deep Neural Net Inference", section 5.2) and best fit in order of time, and keeps the
// smaller; neither is always better.
//
// `apart`: how many nodes must be between the last one of a row and the first one of another in its place.
size_t place_rows(std::vector<PlanRow>& rows, int32_t apart = 0);

}  // namespace ipai
