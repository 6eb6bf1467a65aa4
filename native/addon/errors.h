// Native failures as JavaScript errors with a `code` (see lib/errors.ts) and, where a node is at fault, its
// `scope`.
#pragma once

#include <napi.h>

#include "runtime/status.h"

namespace ipai::addon {

Napi::Error to_js_error(Napi::Env env, const Status& status);

// Throws when the status is not a success.
void check(Napi::Env env, const Status& status);

[[noreturn]] void throw_invalid(Napi::Env env, const std::string& message);

template <class T>
T take(Napi::Env env, Result<T> result) {
  check(env, result.status());
  return std::move(result.value());
}

}  // namespace ipai::addon
