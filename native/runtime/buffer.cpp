#include "runtime/buffer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "runtime/pages.h"
#include "runtime/system_memory.h"

namespace ipai {
namespace {

std::atomic<size_t> current_bytes{0};
std::atomic<size_t> peak_bytes{0};

void count_allocation(size_t bytes) {
  const size_t now = current_bytes.fetch_add(bytes) + bytes;
  size_t peak = peak_bytes.load();
  while (now > peak && !peak_bytes.compare_exchange_weak(peak, now)) {
  }
}

// Small allocations come from the heap, whose pages they share.
std::byte* allocate_bytes(size_t bytes) {
  if (bytes >= kHugePage) return allocate_pages(bytes);
  return static_cast<std::byte*>(std::aligned_alloc(kAlignment, align_up(bytes > 0 ? bytes : 1)));
}

void free_bytes(std::byte* data, size_t bytes) {
  if (bytes >= kHugePage) return free_pages(data, bytes);
  std::free(data);
}

Status file_error(const std::string& path, const std::string& problem) {
  return {ErrorCode::kFileInvalid, path + ": " + problem + "."};
}

}  // namespace

Buffer::Buffer(Kind kind, std::byte* data, size_t size, bool read_only, std::shared_ptr<Buffer> source)
    : kind_(kind), data_(data), size_(size), read_only_(read_only), source_(std::move(source)) {}

Buffer::~Buffer() {
  if (kind_ == Kind::kAllocated) {
    free_bytes(data_, size_);
    current_bytes -= size_;
  } else if (kind_ == Kind::kMapping && size_ > 0) {
    munmap(data_, size_);
  } else if (kind_ == Kind::kDevice) {
    release_();
  }
}

Result<std::shared_ptr<Buffer>> Buffer::allocate(size_t bytes) {
  if (Status status = check_memory_for(bytes, "a buffer"); !status.ok()) return status;
  std::byte* const data = allocate_bytes(bytes);
  if (data == nullptr) return out_of_memory(bytes, "a buffer");
  count_allocation(bytes);
  return std::shared_ptr<Buffer>(new Buffer(Kind::kAllocated, data, bytes, false, nullptr));
}

Result<std::shared_ptr<Buffer>> Buffer::map_file(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return file_error(path, std::string("cannot be opened: ") + std::strerror(errno));
  struct stat info {};
  const bool readable = fstat(file, &info) == 0 && S_ISREG(info.st_mode);
  const size_t size = readable ? static_cast<size_t>(info.st_size) : 0;
  // An empty file cannot be mapped; it is a mapping of no bytes all the same.
  void* const data = size > 0 ? mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0) : nullptr;
  const int error = errno;
  close(file);
  if (!readable) return file_error(path, "is not a regular file");
  if (data == MAP_FAILED) return file_error(path, std::string("cannot be mapped: ") + std::strerror(error));
  return std::shared_ptr<Buffer>(
      new Buffer(Kind::kMapping, static_cast<std::byte*>(data), size, true, nullptr));
}

Result<std::shared_ptr<Buffer>> Buffer::view(const std::shared_ptr<Buffer>& source, size_t offset,
                                             size_t bytes) {
  if (offset > source->size_ || bytes > source->size_ - offset) {
    return Status::invalid("view: bytes " + std::to_string(offset) + " to " + std::to_string(offset + bytes) +
                           " lie outside a buffer of " + std::to_string(source->size_) + " bytes.");
  }
  std::shared_ptr<Buffer> part(
      new Buffer(Kind::kView, source->data_ + offset, bytes, source->read_only_, source));
  part->device_ = source->device_;
  return part;
}

std::shared_ptr<Buffer> Buffer::on_device(ComputeDevice& device, std::byte* data, size_t bytes,
                                          std::function<void()> release) {
  std::shared_ptr<Buffer> buffer(new Buffer(Kind::kDevice, data, bytes, false, nullptr));
  buffer->device_ = &device;
  buffer->release_ = std::move(release);
  return buffer;
}

void Buffer::release_pages() const {
  if (!read_only_) return;
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto address = reinterpret_cast<uintptr_t>(data_);
  const uintptr_t begin = (address + page - 1) / page * page;
  const uintptr_t end = (address + size_) / page * page;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

size_t buffer_bytes() {
  return current_bytes;
}

size_t peak_buffer_bytes() {
  return peak_bytes;
}

}  // namespace ipai
