// Winograd's minimal filtering for 3x3 kernels (Lavin & Gray 2016, Fast Algorithms for Convolutional Neural
// Networks, section 4): kOut x kOut outputs from (kOut + 2)² products instead of 9·kOut².
//
//   Y = Aᵀ·[(G·g·Gᵀ) ⊙ (Bᵀ·d·B)]·A
//
// Each function here is one of the matrices, applied to one row or column. Against the paper, rows of G are
// multiplied by powers of two and columns of Aᵀ divided by them, so that transformed weights are of the
// weights' own size and float16 holds them.
//
// The points are 0, 1, -1, (2, -2,) infinity. Point -1, at index kMirrored, has a use: the factor of a signal
// whose neighbours are equal in pairs is 0 there (see winograd_conv.h).
#pragma once

#include "cpu/vec.h"

namespace ipai::IPAI_TARGET {

template <int kOutputs>
struct WinogradTransform;

template <>
struct WinogradTransform<2> {
  static constexpr int kOut = 2;
  static constexpr int kIn = 4;
  static constexpr int kMirrored = 2;

  static void input(const Vec (&d)[kIn], Vec (&v)[kIn]) {
    v[0] = d[0] - d[2];
    v[1] = d[1] + d[2];
    v[2] = d[2] - d[1];
    v[3] = d[3] - d[1];
  }
  static void weight(const double (&g)[3], double (&u)[kIn]) {
    u[0] = g[0];
    u[1] = (g[0] + g[1] + g[2]) / 2;
    u[2] = (g[0] - g[1] + g[2]) / 2;
    u[3] = g[2];
  }
  static void output(const Vec (&m)[kIn], Vec (&y)[kOut]) {
    y[0] = m[0] + (m[1] + m[2]);
    y[1] = (m[1] - m[2]) + m[3];
  }
};

template <>
struct WinogradTransform<4> {
  static constexpr int kOut = 4;
  static constexpr int kIn = 6;
  static constexpr int kMirrored = 2;

  static void input(const Vec (&d)[kIn], Vec (&v)[kIn]) {
    const Vec two = Vec::broadcast(2), four = Vec::broadcast(4), minus_five = Vec::broadcast(-5);
    const Vec minus_two = Vec::broadcast(-2), minus_four = Vec::broadcast(-4);
    const Vec even_1 = fma(minus_four, d[2], d[4]), odd_1 = fma(minus_four, d[1], d[3]);
    const Vec even_2 = d[4] - d[2], odd_2 = d[3] - d[1];
    v[0] = fma(four, d[0], fma(minus_five, d[2], d[4]));
    v[1] = even_1 + odd_1;
    v[2] = even_1 - odd_1;
    v[3] = fma(two, odd_2, even_2);
    v[4] = fma(minus_two, odd_2, even_2);
    v[5] = fma(four, d[1], fma(minus_five, d[3], d[5]));
  }
  static void weight(const double (&g)[3], double (&u)[kIn]) {
    u[0] = g[0];
    u[1] = (g[0] + g[1] + g[2]) * (-2.0 / 3);
    u[2] = (g[0] - g[1] + g[2]) * (-2.0 / 3);
    u[3] = (g[0] + 2 * g[1] + 4 * g[2]) * (2.0 / 3);
    u[4] = (g[0] - 2 * g[1] + 4 * g[2]) * (2.0 / 3);
    u[5] = g[2];
  }
  static void output(const Vec (&m)[kIn], Vec (&y)[kOut]) {
    const Vec quarter = Vec::broadcast(0.25f);
    const Vec even_1 = (m[1] + m[2]) * quarter, odd_1 = (m[1] - m[2]) * quarter;
    const Vec even_2 = m[3] + m[4], odd_2 = m[3] - m[4];
    y[0] = fma(m[0], quarter, fma(even_2, Vec::broadcast(0.0625f), even_1));
    y[1] = fma(odd_2, Vec::broadcast(0.125f), odd_1);
    y[2] = fma(even_2, quarter, even_1);
    y[3] = fma(odd_2, Vec::broadcast(0.5f), odd_1) + m[5];
  }
};

}  // namespace ipai::IPAI_TARGET
