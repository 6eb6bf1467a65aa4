#include "runtime/planner.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "runtime/buffer.h"

namespace ipai {
namespace {

constexpr int32_t kNone = -1;
// Whatever a program needs: it is not worth waiting for less.
constexpr size_t kLittleMemory = size_t{64} << 20;

// Memory that one or more tensors share: a tensor, its views, and what was computed in its place.
struct Slot {
  Storage::Kind kind = Storage::Kind::kArena;
  int32_t index = 0;  // among inputs, parameters or outputs
  int32_t tensor = kNone;
  size_t bytes = 0;
  int32_t first_node = 0;
  int32_t last_node = 0;
};

class SlotAssignment {
 public:
  explicit SlotAssignment(const PlanRequest& request)
      : request_(request),
        slot_of_(request.tensor_bytes.size(), kNone),
        alias_(request.nodes.size(), false),
        donated_(request.inputs.size(), false),
        output_inputs_(request.outputs.size(), kNone) {
    for (const int32_t input : request.donated) donated_[static_cast<size_t>(input)] = true;
    find_last_uses();
    bind(request.inputs, Storage::Kind::kInput);
    bind(request.parameters, Storage::Kind::kParameter);
    for (size_t node = 0; node < request.nodes.size(); ++node) assign_output(static_cast<int32_t>(node));
    bind_outputs();
  }

  const std::vector<Slot>& slots() const { return slots_; }
  int32_t slot_of(int32_t tensor) const { return slot_of_[static_cast<size_t>(tensor)]; }
  const std::vector<bool>& alias() const { return alias_; }
  const std::vector<MemoryPlan::Copy>& copies() const { return copies_; }
  const std::vector<int32_t>& output_inputs() const { return output_inputs_; }

 private:
  // Time of a tensor's last reader; the program's outputs are read after the last node.
  void find_last_uses() {
    last_use_.assign(request_.tensor_bytes.size(), kNone);
    for (size_t node = 0; node < request_.nodes.size(); ++node) {
      for (const int32_t input : request_.nodes[node].inputs) {
        if (input != kNone) last_use_[static_cast<size_t>(input)] = static_cast<int32_t>(node);
      }
    }
    for (const int32_t output : request_.outputs) {
      last_use_[static_cast<size_t>(output)] = static_cast<int32_t>(request_.nodes.size());
    }
  }

  void bind(const std::vector<int32_t>& tensors, Storage::Kind kind) {
    for (size_t i = 0; i < tensors.size(); ++i) {
      const auto tensor = static_cast<size_t>(tensors[i]);
      slot_of_[tensor] = static_cast<int32_t>(slots_.size());
      slots_.push_back({kind, static_cast<int32_t>(i), tensors[i], request_.tensor_bytes[tensor], 0,
                        std::max(last_use_[tensor], 0)});
    }
  }

  void assign_output(int32_t index) {
    const PlanRequest::Node& node = request_.nodes[static_cast<size_t>(index)];
    const size_t bytes = request_.tensor_bytes[static_cast<size_t>(node.output)];
    int32_t slot = kNone;
    if (node.is_view) {
      slot = slot_of(node.inputs[0]);
      alias_[static_cast<size_t>(index)] = true;
    } else {
      slot = slot_to_take_over(node, index, bytes);
    }
    if (slot == kNone) {
      slot = static_cast<int32_t>(slots_.size());
      slots_.push_back({Storage::Kind::kArena, 0, node.output, bytes, index, index});
    }
    slot_of_[static_cast<size_t>(node.output)] = slot;
    Slot& chosen = slots_[static_cast<size_t>(slot)];
    chosen.last_node = std::max({chosen.last_node, index, last_use_[static_cast<size_t>(node.output)]});
  }

  // The slot of an input that nobody reads after this node, and that the node's other inputs do not hold
  // either.
  int32_t slot_to_take_over(const PlanRequest::Node& node, int32_t index, size_t bytes) const {
    const auto may_share = [&](int position) {
      const auto& allowed = node.in_place_inputs;
      return std::find(allowed.begin(), allowed.end(), position) != allowed.end();
    };
    for (const int position : node.in_place_inputs) {
      if (position >= static_cast<int>(node.inputs.size())) continue;
      const int32_t tensor = node.inputs[static_cast<size_t>(position)];
      if (tensor == kNone) continue;
      const int32_t candidate = slot_of(tensor);
      const Slot& slot = slots_[static_cast<size_t>(candidate)];
      if (!may_be_written(slot) || slot.bytes != bytes || slot.last_node > index) continue;
      bool shared_elsewhere = false;
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        if (node.inputs[i] == kNone || slot_of(node.inputs[i]) != candidate) continue;
        shared_elsewhere |= !may_share(static_cast<int>(i));
      }
      if (!shared_elsewhere) return candidate;
    }
    return kNone;
  }

  bool is_donated(const Slot& slot) const {
    return slot.kind == Storage::Kind::kInput && donated_[static_cast<size_t>(slot.index)];
  }
  bool may_be_written(const Slot& slot) const {
    return slot.kind == Storage::Kind::kArena || is_donated(slot);
  }

  // A slot that holds a program's output lives in the caller's buffer from the start, or is that of an input
  // which the caller gives for it. Only when it is bound already (another input, a parameter, another output)
  // is a copy needed.
  void bind_outputs() {
    for (size_t i = 0; i < request_.outputs.size(); ++i) {
      const auto output = static_cast<int32_t>(i);
      Slot& slot = slots_[static_cast<size_t>(slot_of(request_.outputs[i]))];
      if (slot.kind == Storage::Kind::kArena) {
        slot.kind = Storage::Kind::kOutput;
        slot.index = output;
      } else if (is_donated(slot)) {
        output_inputs_[i] = slot.index;
        donated_[static_cast<size_t>(slot.index)] = false;
      } else {
        copies_.push_back({request_.outputs[i], output});
      }
    }
  }

  const PlanRequest& request_;
  std::vector<Slot> slots_;
  std::vector<int32_t> slot_of_;
  std::vector<int32_t> last_use_;
  std::vector<bool> alias_;
  std::vector<bool> donated_;  // by input; once more false where an output has it
  std::vector<MemoryPlan::Copy> copies_;
  std::vector<int32_t> output_inputs_;
};

size_t most_live_bytes(const std::vector<PlanRow>& rows) {
  std::map<int32_t, int64_t> change;  // by time
  for (const PlanRow& row : rows) {
    change[row.first_node] += static_cast<int64_t>(align_up(row.bytes));
    change[row.last_node + 1] -= static_cast<int64_t>(align_up(row.bytes));
  }
  int64_t live = 0;
  int64_t most = 0;
  for (const auto& [time, bytes] : change) most = std::max(most, live += bytes);
  return static_cast<size_t>(most);
}

bool overlap_in_time(const PlanRow& a, const PlanRow& b, int32_t apart) {
  return a.first_node <= b.last_node + apart && b.first_node <= a.last_node + apart;
}

// Memory that is given out again makes whoever takes it wait for its last readers, where nodes run side by
// side. So much later it is, where that costs little memory.
size_t place_far_apart(std::vector<PlanRow>& rows) {
  size_t peak = place_rows(rows);
  const size_t most = std::max(peak + peak / 8, kLittleMemory);
  for (const int32_t apart : {1024, 256, 64, 16, 4}) {
    std::vector<PlanRow> farther = rows;
    const size_t bytes = place_rows(farther, apart);
    if (bytes > most) continue;
    rows = std::move(farther);
    return bytes;
  }
  return peak;
}

// Places the rows in the given order, each into the smallest gap that holds it between rows of its time.
size_t place_in_order(std::vector<PlanRow>& rows, const std::vector<size_t>& order, int32_t apart) {
  std::vector<const PlanRow*> placed;  // by offset
  size_t peak = 0;
  for (const size_t index : order) {
    PlanRow& row = rows[index];
    const size_t bytes = align_up(row.bytes);
    size_t best_offset = 0;
    size_t best_gap = SIZE_MAX;
    size_t end = 0;
    for (const PlanRow* other : placed) {
      if (!overlap_in_time(row, *other, apart)) continue;
      if (other->offset >= end + bytes && other->offset - end < best_gap) {
        best_gap = other->offset - end;
        best_offset = end;
      }
      end = std::max(end, other->offset + align_up(other->bytes));
    }
    row.offset = best_gap == SIZE_MAX ? end : best_offset;
    peak = std::max(peak, row.offset + bytes);
    const auto before = [](const PlanRow* a, const PlanRow* b) { return a->offset < b->offset; };
    placed.insert(std::upper_bound(placed.begin(), placed.end(), &row, before), &row);
  }
  return peak;
}

}  // namespace

size_t place_rows(std::vector<PlanRow>& rows, int32_t apart) {
  std::vector<size_t> order(rows.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return rows[a].bytes > rows[b].bytes; });
  std::vector<PlanRow> by_size = rows;
  const size_t peak_by_size = place_in_order(by_size, order, apart);

  const auto earlier = [&](size_t a, size_t b) { return rows[a].first_node < rows[b].first_node; };
  std::stable_sort(order.begin(), order.end(), earlier);
  std::vector<PlanRow> by_time = rows;
  const size_t peak_by_time = place_in_order(by_time, order, apart);

  rows = peak_by_size <= peak_by_time ? std::move(by_size) : std::move(by_time);
  return std::min(peak_by_size, peak_by_time);
}

MemoryPlan plan_memory(const PlanRequest& request) {
  const SlotAssignment assignment(request);
  MemoryPlan plan;
  plan.is_alias = assignment.alias();
  plan.copies = assignment.copies();
  plan.output_inputs = assignment.output_inputs();

  std::vector<int32_t> row_of_slot;
  for (const Slot& slot : assignment.slots()) {
    row_of_slot.push_back(static_cast<int32_t>(plan.rows.size()));
    if (slot.kind != Storage::Kind::kArena) continue;
    plan.rows.push_back({slot.tensor, slot.first_node, slot.last_node, 0, slot.bytes});
  }
  std::vector<size_t> scratch_rows;
  for (size_t node = 0; node < request.nodes.size(); ++node) {
    scratch_rows.push_back(plan.rows.size());
    const size_t bytes = plan.is_alias[node] ? 0 : request.nodes[node].scratch_bytes;
    if (bytes == 0) continue;
    plan.rows.push_back({kNone, static_cast<int32_t>(node), static_cast<int32_t>(node), 0, bytes});
  }
  plan.peak_bytes = request.runs_side_by_side ? place_far_apart(plan.rows) : place_rows(plan.rows);
  plan.lower_bound_bytes = most_live_bytes(plan.rows);

  for (size_t tensor = 0; tensor < request.tensor_bytes.size(); ++tensor) {
    const int32_t index = assignment.slot_of(static_cast<int32_t>(tensor));
    Storage storage;
    if (index != kNone) {
      const Slot& slot = assignment.slots()[static_cast<size_t>(index)];
      const bool in_arena = slot.kind == Storage::Kind::kArena;
      storage = {slot.kind, in_arena ? row_of_slot[static_cast<size_t>(index)] : slot.index, 0};
      if (in_arena) storage.offset = plan.rows[static_cast<size_t>(storage.index)].offset;
    }
    plan.tensors.push_back(storage);
  }
  for (size_t node = 0; node < request.nodes.size(); ++node) {
    const bool has_scratch = !plan.is_alias[node] && request.nodes[node].scratch_bytes > 0;
    plan.scratch_offsets.push_back(has_scratch ? plan.rows[scratch_rows[node]].offset : 0);
  }
  return plan;
}

}  // namespace ipai
