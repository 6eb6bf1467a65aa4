#include "addon/errors.h"

namespace ipai::addon {

Napi::Error to_js_error(Napi::Env env, const Status& status) {
  Napi::Error error = Napi::Error::New(env, status.message);
  error.Set("code", Napi::String::New(env, error_code_name(status.code)));
  if (!status.scope.empty()) error.Set("scope", Napi::String::New(env, status.scope));
  return error;
}

void check(Napi::Env env, const Status& status) {
  if (!status.ok()) throw to_js_error(env, status);
}

void throw_invalid(Napi::Env env, const std::string& message) {
  throw to_js_error(env, Status::invalid(message));
}

}  // namespace ipai::addon
