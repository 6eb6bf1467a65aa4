#include "runtime/communicator.h"

#include <doctest/doctest.h>

using ipai::Buffer;
using ipai::Communicator;
using ipai::MpiInterface;

namespace {

int calls = 0;

template <class T>
void triple(T* values, size_t count) {
  ++calls;
  for (size_t i = 0; i < count; ++i) values[i] *= 3;
}

// Three ranks with equal values.
constexpr MpiInterface kEqualRanks = {
    ipai::kMpiInterfaceVersion,
    sizeof(MpiInterface),
    [] {
      return ipai::MpiPlace{1, 3, 1, 2};
    },
    triple<float>,
    triple<double>,
    [] {},
    [](int) {},
};

template <class T>
std::shared_ptr<Buffer> counting(size_t count) {
  auto buffer = Buffer::allocate(count * sizeof(T)).value();
  for (size_t i = 0; i < count; ++i) reinterpret_cast<T*>(buffer->data())[i] = static_cast<T>(i % 1000);
  return buffer;
}

template <class T>
bool is_tripled(const Buffer& buffer) {
  const T* const values = reinterpret_cast<const T*>(buffer.data());
  for (size_t i = 0; i < buffer.size() / sizeof(T); ++i) {
    if (values[i] != static_cast<T>(3 * (i % 1000))) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("small buffers are summed at once, large ones alone and in place") {
  Communicator ranks(kEqualRanks);
  ranks.initialize();
  CHECK(ranks.place().rank == 1);
  CHECK(ranks.place().core_sharers == 2);
  constexpr size_t kLarge = 1'500'000;  // 6 MB
  std::vector<std::shared_ptr<Buffer>> buffers;
  for (const size_t count : {size_t{7}, size_t{500'000}, size_t{400'000}, kLarge, size_t{1}, size_t{3}})
    buffers.push_back(counting<float>(count));
  const std::byte* const large = buffers[3]->data();
  calls = 0;
  ranks.sum_floats(buffers);
  CHECK(calls == 3);
  CHECK(buffers[3]->data() == large);
  for (const auto& buffer : buffers) CHECK(is_tripled<float>(*buffer));
  ranks.sum_floats({});
  CHECK(calls == 3);
}

TEST_CASE("numbers are summed as float64") {
  Communicator ranks(kEqualRanks);
  const auto buffer = counting<double>(5);
  ranks.sum_doubles(*buffer);
  CHECK(is_tripled<double>(*buffer));
}

TEST_CASE("a library that is not there is told of, and nothing is opened") {
  const auto missing = Communicator::open("/nowhere/libipai_mpi.so");
  CHECK(missing.status().code == ipai::ErrorCode::kDeviceUnavailable);
  CHECK(missing.status().message.find("cannot be opened") != std::string::npos);
  CHECK(Communicator::get() == nullptr);
}
