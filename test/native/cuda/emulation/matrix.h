// mma.sync and ldmatrix, with the fragments of the PTX ISA (see native/cuda/mma.h and ldmatrix.h).
#pragma once

#include <cstdint>
#include <cstring>

#include "emulation/block.h"
#include "emulation/element.h"

namespace ipai::cuda::emulation {

template <class T>
float half_of(uint32_t pair, int index) {
  return to_float(T{static_cast<uint16_t>(pair >> 16 * index)});
}

template <class T, int kDepth>
struct MmaOperands {
  float* d;
  const uint32_t* a;
  const uint32_t* b;

  static void perform(void* const (&lanes)[kLanes]) {
    float a[16][kDepth];
    float b[kDepth][8];
    for (int lane = 0; lane < kLanes; ++lane) {
      const auto* const operands = static_cast<MmaOperands*>(lanes[lane]);
      const int group = lane / 4, place = lane % 4;
      for (int half = 0; half < 2; ++half) {
        for (int i = 0; i < kDepth / 4; ++i) {
          a[group + 8 * (i % 2)][2 * place + 8 * (i / 2) + half] = half_of<T>(operands->a[i], half);
        }
        for (int i = 0; i < kDepth / 8; ++i) {
          b[2 * place + 8 * i + half][group] = half_of<T>(operands->b[i], half);
        }
      }
    }
    for (int lane = 0; lane < kLanes; ++lane) {
      const auto* const operands = static_cast<MmaOperands*>(lanes[lane]);
      for (int i = 0; i < 4; ++i) {
        const int row = lane / 4 + 8 * (i / 2), column = 2 * (lane % 4) + i % 2;
        float sum = 0;
        for (int k = 0; k < kDepth; ++k) sum += a[row][k] * b[k][column];
        operands->d[i] += sum;
      }
    }
  }
};

template <class T, int kDepth>
void mma(float (&d)[4], const uint32_t (&a)[kDepth / 4], const uint32_t (&b)[kDepth / 8]) {
  MmaOperands<T, kDepth> own{d, a, b};
  Block::current().in_warp("mma", &own, MmaOperands<T, kDepth>::perform);
}

// `transposed` matrices hand out columns in place of rows.
template <int N, bool transposed>
struct LdmatrixOperands {
  uint32_t* fragments;
  const void* row;

  static void perform(void* const (&lanes)[kLanes]) {
    for (int i = 0; i < N; ++i) {
      uint16_t matrix[8][8];
      for (int row = 0; row < 8; ++row) {
        std::memcpy(matrix[row], static_cast<LdmatrixOperands*>(lanes[8 * i + row])->row, 16);
      }
      for (int lane = 0; lane < kLanes; ++lane) {
        const int group = lane / 4, place = lane % 4;
        const uint32_t low = transposed ? matrix[2 * place][group] : matrix[group][2 * place];
        const uint32_t high = transposed ? matrix[2 * place + 1][group] : matrix[group][2 * place + 1];
        static_cast<LdmatrixOperands*>(lanes[lane])->fragments[i] = low | high << 16;
      }
    }
  }
};

template <bool transposed, int N>
void ldmatrix(uint32_t (&fragments)[N], const void* row, const char* name) {
  Block& block = Block::current();
  if (block.lane() < 8 * N) block.require_dynamic_shared(row, 16, 16, name);
  LdmatrixOperands<N, transposed> own{fragments, row};
  block.in_warp(name, &own, LdmatrixOperands<N, transposed>::perform);
}

template <int N>
void load_matrices(uint32_t (&fragments)[N], const void* row) {
  ldmatrix<false>(fragments, row, "load_matrices");
}
template <int N>
void load_matrices_transposed(uint32_t (&fragments)[N], const void* row) {
  ldmatrix<true>(fragments, row, "load_matrices_transposed");
}

}  // namespace ipai::cuda::emulation
