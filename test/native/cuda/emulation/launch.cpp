#include "emulation/launch.h"

namespace ipai::cuda::emulation {
namespace {

// What a device of compute capability 9.0 can give one block.
constexpr size_t kSharedBytesPerBlock = 227 * 1024;

Status check(const KernelLaunch& launch) {
  const auto invalid = [&](const std::string& problem) {
    return Status::invalid(std::string(launch.name) + ": " + problem + ".");
  };
  const LaunchShape& shape = launch.shape;
  if (shape.threads == 0 || shape.threads > 1024 || shape.threads % kLanes != 0) {
    return invalid("expected whole warps, 32 to 1024 threads; got " + std::to_string(shape.threads));
  }
  const GridExtent& grid = shape.grid;
  if (grid.x == 0 || grid.x > 0x7fffffff || grid.y == 0 || grid.y > 65535 || grid.z == 0 || grid.z > 65535) {
    return invalid("expected a grid of 1 to 2^31 - 1 by 65535 by 65535; got " + std::to_string(grid.x) +
                   " by " + std::to_string(grid.y) + " by " + std::to_string(grid.z));
  }
  if (shape.dynamic_shared_bytes > kSharedBytesPerBlock) {
    return invalid("expected at most " + std::to_string(kSharedBytesPerBlock) +
                   " bytes of shared memory; got " + std::to_string(shape.dynamic_shared_bytes));
  }
  return Status::success();
}

Status run(const KernelLaunch& launch, Order order) {
  if (Status status = check(launch); !status.ok()) return status;
  Block block(launch, order);
  const GridExtent& grid = launch.shape.grid;
  const uint64_t blocks = uint64_t{grid.x} * grid.y * grid.z;
  for (uint64_t i = 0; i < blocks; ++i) {
    const uint64_t linear = order == Order::kFirstToLast ? i : blocks - 1 - i;
    const GridExtent index = {static_cast<uint32_t>(linear % grid.x),
                              static_cast<uint32_t>(linear / grid.x % grid.y),
                              static_cast<uint32_t>(linear / grid.x / grid.y)};
    const std::string problem = block.run(index);
    if (problem.empty()) continue;
    return {ErrorCode::kInternal, std::string(launch.name) + ", block [" + std::to_string(index.x) + ", " +
                                      std::to_string(index.y) + ", " + std::to_string(index.z) +
                                      "]: " + problem + "."};
  }
  return Status::success();
}

}  // namespace

Status run(const std::vector<KernelLaunch>& launches, Order order) {
  for (const KernelLaunch& launch : launches) {
    if (Status status = run(launch, order); !status.ok()) return status;
  }
  return Status::success();
}

}  // namespace ipai::cuda::emulation
