#include "runtime/planner.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <utility>

#include "runtime/buffer.h"

using ipai::MemoryPlan;
using ipai::PlanRequest;
using ipai::PlanRow;
using ipai::Storage;

namespace {

using Random = std::mt19937;

int pick(Random& random, int low, int high) {
  return std::uniform_int_distribution<int>(low, high)(random);
}

// Bytes live at the busiest node, counted node by node.
size_t live_bytes(const std::vector<PlanRow>& rows, int32_t node_count) {
  size_t most = 0;
  for (int32_t node = 0; node <= node_count; ++node) {
    size_t live = 0;
    for (const PlanRow& row : rows) {
      if (row.first_node <= node && node <= row.last_node) live += ipai::align_up(row.bytes);
    }
    most = std::max(most, live);
  }
  return most;
}

void check_rows(const std::vector<PlanRow>& rows, size_t peak) {
  for (size_t i = 0; i < rows.size(); ++i) {
    const PlanRow& a = rows[i];
    REQUIRE(a.offset % ipai::kAlignment == 0);
    REQUIRE(a.offset + a.bytes <= peak);
    for (size_t j = 0; j < i; ++j) {
      const PlanRow& b = rows[j];
      const bool same_time = a.first_node <= b.last_node && b.first_node <= a.last_node;
      const bool same_place = a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
      REQUIRE_FALSE((same_time && same_place));
    }
  }
}

// A chain-and-branch program with views, nodes in place, scratch and outputs, as the compiler would pass it.
PlanRequest random_request(Random& random) {
  PlanRequest request;
  const auto add_tensor = [&](size_t bytes) {
    request.tensor_bytes.push_back(bytes);
    return static_cast<int32_t>(request.tensor_bytes.size() - 1);
  };
  const auto random_bytes = [&] { return static_cast<size_t>(64 * pick(random, 1, 8) - pick(random, 0, 1)); };
  for (int i = pick(random, 1, 2); i > 0; --i) request.inputs.push_back(add_tensor(random_bytes()));
  for (int i = pick(random, 0, 2); i > 0; --i) request.parameters.push_back(add_tensor(random_bytes()));
  for (int i = pick(random, 1, 24); i > 0; --i) {
    PlanRequest::Node node;
    const auto any = [&] { return pick(random, 0, static_cast<int>(request.tensor_bytes.size()) - 1); };
    for (int j = pick(random, 1, 3); j > 0; --j) node.inputs.push_back(pick(random, 0, 5) == 0 ? -1 : any());
    const bool has_first = node.inputs[0] >= 0;
    node.is_view = has_first && pick(random, 0, 4) == 0;
    if (!node.is_view && pick(random, 0, 1) == 0) node.in_place_inputs.push_back(pick(random, 0, 2));
    if (!node.is_view && pick(random, 0, 2) == 0) node.scratch_bytes = random_bytes();
    const bool same_size = has_first && (node.is_view || pick(random, 0, 1) == 0);
    node.output =
        add_tensor(same_size ? request.tensor_bytes[static_cast<size_t>(node.inputs[0])] : random_bytes());
    request.nodes.push_back(node);
  }
  for (int i = pick(random, 0, 3); i > 0; --i) {
    request.outputs.push_back(pick(random, 0, static_cast<int>(request.tensor_bytes.size()) - 1));
  }
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    if (pick(random, 0, 1) == 0) request.donated.push_back(static_cast<int32_t>(i));
  }
  return request;
}

// Where a storage begins when every bound buffer has an address of its own.
std::pair<int, size_t> place_of(const Storage& storage) {
  if (storage.kind == Storage::Kind::kArena) return {0, storage.offset};
  return {static_cast<int>(storage.kind), static_cast<size_t>(storage.index) << 32};
}

// Plays the program on memory that holds tensors' names instead of values: whenever a node reads a tensor,
// the memory of that tensor must still hold it.
class Simulation {
 public:
  Simulation(const PlanRequest& request, const MemoryPlan& plan) : request_(request), plan_(plan) {
    for (const int32_t tensor : request.inputs) store(tensor, tensor);
    for (const int32_t tensor : request.parameters) store(tensor, tensor);
  }

  void run() {
    for (size_t i = 0; i < request_.nodes.size(); ++i) {
      const PlanRequest::Node& node = request_.nodes[i];
      for (const int32_t input : node.inputs) {
        if (input >= 0) REQUIRE(holds(input));
      }
      if (plan_.is_alias[i]) {
        REQUIRE(node.is_view);
        names_[node.output] = name_of(node.inputs[0]);
        REQUIRE(holds(node.output));
        continue;
      }
      if (node.scratch_bytes > 0) overwrite({0, plan_.scratch_offsets[i]}, node.scratch_bytes, -2);
      // Scratch must not lie on anything the node reads.
      for (const int32_t input : node.inputs) {
        if (input >= 0) REQUIRE(holds(input));
      }
      check_in_place(node);
      store(node.output, node.output);
    }
    for (const int32_t output : request_.outputs) REQUIRE(holds(output));
    for (const int32_t parameter : request_.parameters) REQUIRE(holds(parameter));
    for (size_t i = 0; i < request_.inputs.size(); ++i) {
      REQUIRE((is_donated(static_cast<int32_t>(i)) || holds(request_.inputs[i])));
    }
    check_outputs();
  }

 private:
  struct Piece {
    std::pair<int, size_t> place;
    size_t bytes;
    int32_t name;
  };

  int32_t name_of(int32_t tensor) const {
    const auto entry = names_.find(tensor);
    return entry == names_.end() ? tensor : entry->second;
  }

  void overwrite(std::pair<int, size_t> place, size_t bytes, int32_t name) {
    const auto overlaps = [&](const Piece& piece) {
      return piece.place.first == place.first && piece.place.second < place.second + bytes &&
             place.second < piece.place.second + piece.bytes;
    };
    pieces_.erase(std::remove_if(pieces_.begin(), pieces_.end(), overlaps), pieces_.end());
    pieces_.push_back({place, bytes, name});
  }

  void store(int32_t tensor, int32_t name) {
    overwrite(place_of(plan_.tensors[static_cast<size_t>(tensor)]),
              request_.tensor_bytes[static_cast<size_t>(tensor)], name);
  }

  bool holds(int32_t tensor) const {
    const auto place = place_of(plan_.tensors[static_cast<size_t>(tensor)]);
    return std::any_of(pieces_.begin(), pieces_.end(), [&](const Piece& piece) {
      return piece.place == place && piece.name == name_of(tensor) &&
             piece.bytes == request_.tensor_bytes[static_cast<size_t>(tensor)];
    });
  }

  bool is_donated(int32_t input) const {
    const auto& donated = request_.donated;
    return std::find(donated.begin(), donated.end(), input) != donated.end();
  }

  // An output may lie on an input only where the op allows it.
  void check_in_place(const PlanRequest::Node& node) const {
    const auto place = place_of(plan_.tensors[static_cast<size_t>(node.output)]);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] < 0) continue;
      if (place_of(plan_.tensors[static_cast<size_t>(node.inputs[i])]) != place) continue;
      const auto& allowed = node.in_place_inputs;
      REQUIRE(std::find(allowed.begin(), allowed.end(), static_cast<int>(i)) != allowed.end());
    }
  }

  void check_outputs() const {
    std::set<int32_t> given;
    for (size_t i = 0; i < request_.outputs.size(); ++i) {
      const Storage& storage = plan_.tensors[static_cast<size_t>(request_.outputs[i])];
      const bool in_place =
          storage.kind == Storage::Kind::kOutput && storage.index == static_cast<int32_t>(i);
      const bool copied =
          std::any_of(plan_.copies.begin(), plan_.copies.end(), [&](const MemoryPlan::Copy& copy) {
            return copy.output == static_cast<int32_t>(i) && copy.tensor == request_.outputs[i];
          });
      const int32_t input = plan_.output_inputs[i];
      const bool donated = input >= 0;
      if (donated) {
        REQUIRE((storage.kind == Storage::Kind::kInput && storage.index == input && is_donated(input)));
        REQUIRE(given.insert(input).second);
      }
      REQUIRE(static_cast<int>(in_place) + static_cast<int>(copied) + static_cast<int>(donated) == 1);
    }
  }

  const PlanRequest& request_;
  const MemoryPlan& plan_;
  std::map<int32_t, int32_t> names_;
  std::vector<Piece> pieces_;
};

}  // namespace

TEST_CASE("rows that are in use at the same time never overlap") {
  Random random(1);
  for (int round = 0; round < 300; ++round) {
    const int32_t nodes = pick(random, 1, 30);
    std::vector<PlanRow> rows;
    for (int i = pick(random, 0, 40); i > 0; --i) {
      const int32_t first = pick(random, 0, nodes - 1);
      const int32_t last = pick(random, first, nodes);
      rows.push_back({i, first, last, 0, static_cast<size_t>(pick(random, 1, 5000))});
    }
    const size_t peak = ipai::place_rows(rows);
    check_rows(rows, peak);
    CHECK(peak >= live_bytes(rows, nodes));
  }
}

TEST_CASE("rows that are apart in time by less than was asked for do not share memory") {
  Random random(3);
  for (int round = 0; round < 100; ++round) {
    const int32_t nodes = pick(random, 1, 60), apart = pick(random, 1, 10);
    std::vector<PlanRow> rows;
    for (int i = pick(random, 0, 40); i > 0; --i) {
      const int32_t first = pick(random, 0, nodes - 1);
      const int32_t last = pick(random, first, std::min(nodes, first + 5));
      rows.push_back({i, first, last, 0, static_cast<size_t>(pick(random, 1, 5000))});
    }
    const size_t peak = ipai::place_rows(rows, apart);
    for (PlanRow& row : rows) row.last_node += apart;
    check_rows(rows, peak);
  }
}

TEST_CASE("where nodes run side by side, memory is given out late, unless that costs much of it") {
  const auto peak_of = [](size_t bytes, bool side_by_side) {
    PlanRequest request;
    request.tensor_bytes.assign(9, bytes);
    request.inputs = {0};
    for (int32_t i = 0; i < 8; ++i) request.nodes.push_back({{i}, i + 1, {}, false, 0});
    request.outputs = {8};
    request.runs_side_by_side = side_by_side;
    return ipai::plan_memory(request).peak_bytes;
  };
  constexpr size_t kLittle = 4096, kMuch = size_t{64} << 20;
  CHECK(peak_of(kLittle, false) == 2 * kLittle);
  CHECK(peak_of(kLittle, true) == 7 * kLittle);
  CHECK(peak_of(kMuch, true) == 2 * kMuch);
}

TEST_CASE("a random program finds every tensor where it was put") {
  Random random(2);
  for (int round = 0; round < 2000; ++round) {
    const PlanRequest request = random_request(random);
    const MemoryPlan plan = ipai::plan_memory(request);
    check_rows(plan.rows, plan.peak_bytes);
    CHECK(plan.lower_bound_bytes == live_bytes(plan.rows, static_cast<int32_t>(request.nodes.size())));
    CHECK(plan.peak_bytes >= plan.lower_bound_bytes);
    Simulation(request, plan).run();
  }
}

TEST_CASE("a chain of elementwise ops needs one block") {
  PlanRequest request;
  request.tensor_bytes = {256, 256, 256, 256, 256};
  request.inputs = {0};
  for (int32_t i = 0; i < 4; ++i) request.nodes.push_back({{i}, i + 1, {0}, false, 0});
  request.nodes.push_back({{4}, 5, {}, false, 0});
  request.tensor_bytes.push_back(64);
  request.outputs = {5};
  CHECK(ipai::plan_memory(request).peak_bytes == 256);
}

TEST_CASE("an output that a later node reads is not overwritten") {
  PlanRequest request;
  request.tensor_bytes = {64, 64, 64};
  request.inputs = {0};
  request.nodes.push_back({{0}, 1, {0}, false, 0});
  request.nodes.push_back({{1}, 2, {0}, false, 0});
  request.outputs = {1, 2};
  const MemoryPlan plan = ipai::plan_memory(request);
  CHECK(plan.tensors[1].kind == Storage::Kind::kOutput);
  CHECK(plan.tensors[2].kind == Storage::Kind::kOutput);
  CHECK(plan.tensors[1].index != plan.tensors[2].index);
  CHECK(plan.peak_bytes == 0);
}

TEST_CASE("an output that is a view of an input, or named twice, is copied") {
  PlanRequest request;
  request.tensor_bytes = {64, 64, 64};
  request.inputs = {0};
  request.nodes.push_back({{0}, 1, {}, true, 0});
  request.nodes.push_back({{0}, 2, {}, false, 0});
  request.outputs = {1, 2, 2};
  const MemoryPlan plan = ipai::plan_memory(request);
  REQUIRE(plan.copies.size() == 2);
  CHECK(plan.copies[0].output == 0);
  CHECK(plan.copies[1].output == 2);
}

TEST_CASE(
    "an output takes the place of a donated input that nobody reads any more, in as many steps as it likes") {
  PlanRequest request;
  request.tensor_bytes = {64, 64, 64, 64};
  request.inputs = {0, 1};
  request.nodes.push_back({{0, 1}, 2, {0, 1}, false, 0});
  request.nodes.push_back({{2}, 3, {0}, false, 0});
  request.outputs = {3};
  CHECK(ipai::plan_memory(request).output_inputs == std::vector<int32_t>{-1});
  request.donated = {1};
  CHECK(ipai::plan_memory(request).output_inputs == std::vector<int32_t>{1});
  request.nodes[1].inputs.push_back(1);
  CHECK(ipai::plan_memory(request).output_inputs == std::vector<int32_t>{-1});
}

TEST_CASE("a skip connection keeps its block until its last reader") {
  PlanRequest request;
  request.tensor_bytes = {64, 640, 640, 640, 640};
  request.inputs = {0};
  request.nodes.push_back({{0}, 1, {}, false, 0});
  request.nodes.push_back({{1}, 2, {0}, false, 0});
  request.nodes.push_back({{2}, 3, {0}, false, 0});
  request.nodes.push_back({{3, 1}, 4, {0, 1}, false, 0});
  request.nodes.push_back({{4}, 5, {}, false, 0});
  request.tensor_bytes.push_back(64);
  request.outputs = {5};
  const MemoryPlan plan = ipai::plan_memory(request);
  CHECK(plan.peak_bytes == 1280);
  CHECK(plan.lower_bound_bytes == 1280);
  CHECK(plan.tensors[2].offset == plan.tensors[3].offset);
  CHECK(plan.tensors[2].offset != plan.tensors[1].offset);
}
