#include "runtime/program.h"

#include <doctest/doctest.h>

#include <limits>

using ipai::DType;
using ipai::ProgramDescription;

namespace {

const ipai::OpRegistry& registry() {
  static const ipai::OpRegistry ops(ipai::CpuTarget::kPortable);
  return ops;
}

// y = affine(reshape(x)), x [2, 3].
ProgramDescription valid() {
  ProgramDescription program;
  program.tensors = {{DType::kFloat32, {2, 3}}, {DType::kFloat32, {6}}, {DType::kFloat32, {6}}};
  program.nodes = {{"reshape", {0}, {1}, {{"shape", std::vector<double>{6}}}, "first"},
                   {"affine", {1}, {2}, {{"scale", 2.0}, {"offset", 1.0}}, "second"}};
  program.inputs = {0};
  program.outputs = {2};
  return program;
}

ipai::Status status_of(const ProgramDescription& program) {
  auto result = ipai::compile_program(program, registry(), {ipai::Device::kCpu, 2});
  return result.status();
}

void check_error(const ProgramDescription& program, const std::string& message,
                 const std::string& scope = "") {
  const ipai::Status status = status_of(program);
  CHECK(status.code == ipai::ErrorCode::kInvalidArgument);
  CHECK(status.message == message);
  CHECK(status.scope == scope);
}

}  // namespace

TEST_CASE("a valid program compiles; the view needs no memory") {
  auto result = ipai::compile_program(valid(), registry(), {ipai::Device::kCpu, 2});
  REQUIRE(result.ok());
  const ipai::Program& program = *result.value();
  CHECK(program.nodes.size() == 2);
  CHECK(program.plan.peak_bytes == 0);
  CHECK(program.plan.is_alias[0]);
  CHECK(program.tensors[0].bytes == 24);
}

TEST_CASE("ops, scopes and attributes in messages") {
  ProgramDescription program = valid();
  program.nodes[1].op = "afine";
  check_error(program, "program: there is no op 'afine'.", "second");
  program = valid();
  program.nodes[1].attributes.erase("scale");
  check_error(program, "affine: attribute scale is missing.", "second");
  program = valid();
  program.nodes[1].attributes["extra"] = 1.0;
  check_error(program, "affine: an attribute is not known.", "second");
  program = valid();
  program.tensors[2].shape = {7};
  check_error(program, "affine: the output must have the type of x (got float32[6] to float32[7]).",
              "second");
}

TEST_CASE("tensor ids that do not exist or have no value yet") {
  const int32_t extremes[] = {-2, 3, 100, std::numeric_limits<int32_t>::min(),
                              std::numeric_limits<int32_t>::max()};
  for (const int32_t id : extremes) {
    ProgramDescription program = valid();
    program.nodes[0].inputs = {id};
    CHECK_FALSE(status_of(program).ok());
    program = valid();
    program.nodes[0].outputs = {id};
    CHECK_FALSE(status_of(program).ok());
    program = valid();
    program.inputs = {id};
    CHECK_FALSE(status_of(program).ok());
    program = valid();
    program.parameters = {id};
    CHECK_FALSE(status_of(program).ok());
    program = valid();
    program.outputs = {id};
    CHECK_FALSE(status_of(program).ok());
  }
  ProgramDescription program = valid();
  std::swap(program.nodes[0], program.nodes[1]);
  check_error(program, "affine: input x is tensor 1, which has no value yet.", "second");
  program = valid();
  program.nodes[0].inputs = {-1};
  check_error(program, "reshape: input x is missing.", "first");
  program = valid();
  program.nodes[1].outputs = {1};
  check_error(program, "affine: expected one output, a tensor that has no value yet.", "second");
}

TEST_CASE("wrong numbers of inputs and outputs") {
  ProgramDescription program = valid();
  program.nodes[1].inputs = {1, 1};
  check_error(program, "affine: expected at most 1 inputs, got 2.", "second");
  program = valid();
  program.nodes[1].inputs = {};
  check_error(program, "affine: input x is missing.", "second");
  program = valid();
  program.nodes[1].outputs = {};
  CHECK_FALSE(status_of(program).ok());
}

TEST_CASE("shapes that no memory holds") {
  const std::vector<std::vector<int64_t>> shapes = {
      {0}, {-1}, {int64_t{1} << 62}, {int64_t{1} << 40, int64_t{1} << 40}, {1, 1, 1, 1, 1, 1, 1}};
  for (const auto& shape : shapes) {
    ProgramDescription program = valid();
    program.tensors[0].shape = shape;
    CHECK_FALSE(status_of(program).ok());
  }
}

TEST_CASE("a shape attribute of too many axes fits nothing") {
  ProgramDescription program = valid();
  program.tensors[1].shape = {6, 1, 1, 1, 1, 1};
  program.nodes[0].attributes["shape"] = std::vector<double>{6, 1, 1, 1, 1, 1, 1};
  CHECK_FALSE(status_of(program).ok());
}
