// Programs and ops between JavaScript and the runtime; the shapes are those of lib/runtime/program.ts.
#pragma once

#include <napi.h>

#include "runtime/op.h"
#include "runtime/program.h"

namespace ipai::addon {

ProgramDescription to_description(Napi::Value value);
Napi::Value from_op(Napi::Env env, const Op& op);
Napi::Value from_plan(Napi::Env env, const Program& program);

}  // namespace ipai::addon
