#include "runtime/buffer.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "runtime/pages.h"

using ipai::Buffer;
using ipai::ErrorCode;

TEST_CASE("buffers of any size are aligned, writable and counted") {
  const size_t before = ipai::buffer_bytes();
  for (const size_t bytes : {size_t{0}, size_t{1000}, size_t{128} << 10, (size_t{3} << 20) + 1}) {
    {
      auto buffer = Buffer::allocate(bytes).value();
      CHECK(reinterpret_cast<uintptr_t>(buffer->data()) % ipai::kAlignment == 0);
      std::memset(buffer->data(), 1, bytes);
      CHECK(ipai::buffer_bytes() == before + bytes);
      CHECK(ipai::peak_buffer_bytes() >= before + bytes);
    }
    CHECK(ipai::buffer_bytes() == before);
  }
}

TEST_CASE("more than the machine has is refused with the number") {
  auto result = Buffer::allocate(size_t{1} << 46);
  CHECK(result.status().code == ErrorCode::kOutOfMemory);
  CHECK(result.status().message.rfind("out of memory: 67108864.0 MiB needed for a buffer", 0) == 0);
}

TEST_CASE("views share memory, keep it alive and stay inside") {
  auto buffer = Buffer::allocate(100).value();
  std::memset(buffer->data(), 7, 100);
  const size_t before = ipai::buffer_bytes();
  auto view = Buffer::view(buffer, 90, 10).value();
  buffer.reset();
  CHECK(ipai::buffer_bytes() == before);
  CHECK(view->data()[9] == std::byte{7});
  auto nested = Buffer::view(view, 10, 0);
  CHECK(nested.ok());
  CHECK_FALSE(Buffer::view(view, 1, 10).ok());
  CHECK_FALSE(Buffer::view(view, 11, 0).ok());
  CHECK_FALSE(Buffer::view(view, SIZE_MAX, 2).ok());
  CHECK_FALSE(Buffer::view(view, 2, SIZE_MAX).ok());
}

TEST_CASE("large memory begins at a huge page, is kept for the next of its size, and is given back") {
  const size_t bytes = ipai::kHugePage + 70000;
  std::byte* const first = ipai::allocate_pages(bytes);
  CHECK(reinterpret_cast<uintptr_t>(first) % ipai::kHugePage == 0);
  std::memset(first, 7, bytes);
  ipai::free_pages(first, bytes);
  std::byte* const other = ipai::allocate_pages(2 * bytes);
  CHECK(other != first);
  CHECK(ipai::allocate_pages(bytes) == first);
  ipai::free_pages(first, bytes);
  ipai::free_pages(other, 2 * bytes);
  ipai::trim_pages();
  std::byte* const fresh = ipai::allocate_pages(bytes);
  CHECK(fresh[bytes - 1] == std::byte{0});
  ipai::free_pages(fresh, bytes);
  ipai::trim_pages();
}

TEST_CASE("files are mapped read-only; what is no file is an error") {
  const auto folder = std::filesystem::temp_directory_path();
  const std::string path = (folder / "ipai-buffer-test.bin").string();
  std::ofstream(path) << "0123456789";
  auto mapping = Buffer::map_file(path).value();
  std::remove(path.c_str());
  CHECK(mapping->size() == 10);
  CHECK(mapping->read_only());
  auto view = Buffer::view(mapping, 3, 4).value();
  mapping.reset();
  CHECK(std::memcmp(view->data(), "3456", 4) == 0);
  CHECK(view->read_only());

  CHECK(Buffer::map_file(path).status().code == ErrorCode::kFileInvalid);
  CHECK(Buffer::map_file(folder.string()).status().message == folder.string() + ": is not a regular file.");
}

#if defined(__linux__)
// Pages of files in this process's memory: the third number of /proc/self/statm.
size_t file_pages() {
  size_t pages[3] = {};
  std::ifstream stream("/proc/self/statm");
  for (size_t& number : pages) stream >> number;
  return pages[2];
}

TEST_CASE(
    "pages of a file's part are released, those that it shares are not, and come back with their content") {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t count = 256;
  const std::string path = (std::filesystem::temp_directory_path() / "ipai-buffer-pages.bin").string();
  std::ofstream(path) << std::string(count * page, 'x');
  auto mapping = Buffer::map_file(path).value();
  std::remove(path.c_str());
  const auto sum = [&] {
    size_t bytes = 0;
    for (size_t i = 0; i < mapping->size(); ++i) bytes += mapping->data()[i] == std::byte{'x'};
    return bytes;
  };
  CHECK(sum() == count * page);
  const size_t touched = file_pages();
  Buffer::view(mapping, page / 2, (count - 1) * page).value()->release_pages();
  const size_t released = touched - file_pages();
  CHECK(released == count - 2);
  CHECK(sum() == count * page);
  CHECK(file_pages() == touched);

  auto allocated = Buffer::allocate(count * page).value();
  std::memset(allocated->data(), 7, count * page);
  allocated->release_pages();
  CHECK(allocated->data()[page] == std::byte{7});
}
#endif
