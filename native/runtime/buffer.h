// Reference-counted memory that tensors live in: the host's, allocated or a part of a file mapped read-only,
// or a device's.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "runtime/status.h"

namespace ipai {

// Every allocation begins at a multiple of this, a cache line and the widest vector.
inline constexpr size_t kAlignment = 64;

constexpr size_t align_up(size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

class ComputeDevice;

class Buffer {
 public:
  // Memory of undefined content. Fails with kOutOfMemory when the machine or the container has not that much
  // left.
  static Result<std::shared_ptr<Buffer>> allocate(size_t bytes);
  // A whole file, mapped read-only; pages are read when they are first touched. The file must keep its length
  // while it is mapped: touching pages that were cut off kills the process.
  static Result<std::shared_ptr<Buffer>> map_file(const std::string& path);
  // `bytes` of `source` from `offset`, sharing its memory.
  static Result<std::shared_ptr<Buffer>> view(const std::shared_ptr<Buffer>& source, size_t offset,
                                              size_t bytes);

  // Memory at an address of a device's; `release` gives it back.
  static std::shared_ptr<Buffer> on_device(ComputeDevice& device, std::byte* data, size_t bytes,
                                           std::function<void()> release);

  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  // Whose memory it is; nullptr for the host's. A device's must not be touched by the host.
  ComputeDevice* device() const { return device_; }
  // Why a device's memory does not hold what it should. For the device's own thread.
  const Status& failure() const { return source_ ? source_->failure() : failure_; }
  void fail(const Status& status) { source_ ? source_->fail(status) : void(failure_ = status); }
  // Mapped files must not be written to.
  bool read_only() const { return read_only_; }
  // Lets pages of a mapped file go that lie wholly in this part of it: they no longer count as this process's
  // memory, and come back where they are touched again, from the system's cache if it has kept them. Does
  // nothing to other memory.
  void release_pages() const;

 private:
  enum class Kind { kAllocated, kMapping, kView, kDevice };

  Buffer(Kind kind, std::byte* data, size_t size, bool read_only, std::shared_ptr<Buffer> source);

  Kind kind_;
  std::byte* data_;
  size_t size_;
  bool read_only_;
  std::shared_ptr<Buffer> source_;
  ComputeDevice* device_ = nullptr;
  std::function<void()> release_;
  Status failure_;
};

// Bytes of the host's memory in allocated buffers of this process, now and at most since it began.
size_t buffer_bytes();
size_t peak_buffer_bytes();

}  // namespace ipai
