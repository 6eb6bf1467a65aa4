// How the runtime says that something went wrong: a code, a sentence, and the place in the model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace ipai {

enum class ErrorCode : uint8_t {
  kNone,
  kInvalidArgument,
  kFileInvalid,
  kDeviceUnavailable,
  kOutOfMemory,
  kNumeric,
  kDisposed,
  kCancelled,
  kInternal,
};

// The spelling that JavaScript sees; all but "cancelled" are codes of lib/errors.ts.
constexpr const char* error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNone:
      return "none";
    case ErrorCode::kInvalidArgument:
      return "invalid-argument";
    case ErrorCode::kFileInvalid:
      return "file-invalid";
    case ErrorCode::kDeviceUnavailable:
      return "device-unavailable";
    case ErrorCode::kOutOfMemory:
      return "out-of-memory";
    case ErrorCode::kNumeric:
      return "numeric";
    case ErrorCode::kDisposed:
      return "disposed";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "internal";
}

struct [[nodiscard]] Status {
  ErrorCode code = ErrorCode::kNone;
  std::string message = {};
  // Scope of the node at fault, e.g. `unet.downBlocks.0.resnets.1.conv1`; empty when no node is.
  std::string scope = {};

  bool ok() const { return code == ErrorCode::kNone; }
  static Status success() { return {}; }
  static Status invalid(std::string message, std::string scope = {}) {
    return {ErrorCode::kInvalidArgument, std::move(message), std::move(scope)};
  }
};

// A value, or why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT: implicit on purpose
  Result(Status status) : status_(std::move(status)) {}  // NOLINT: implicit on purpose

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& value() { return *value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace ipai
