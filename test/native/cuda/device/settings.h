// What the emulated machine is like, from the environment variable IPAI_EMULATED_CUDA, read at each call:
// "driver=11040,devices=0,capability=75,memory=64,fail=unary". What is not named is as on an H100's host.
#pragma once

#include <cstddef>
#include <string>

namespace ipai::cuda::emulation {

struct Settings {
  // As CUDA writes versions; 0 for no driver.
  int driver = 13000;
  int devices = 1;
  int capability = 90;
  // In MiB.
  size_t memory = 1024;
  // A kernel at whose launch the device breaks down.
  std::string fail;
};

Settings settings();

}  // namespace ipai::cuda::emulation
