// Winograd's minimal filtering for 3x3 kernels (Lavin & Gray 2016, Fast Algorithms for Convolutional Neural
// Networks, section 4): kOut x kOut outputs from (kOut + 2)² products instead of 9·kOut², for 2x2 a 2.25th
// part, for 4x4 a quarter, and for 6x6 a 5.06th part.
//
//   Y = Aᵀ·[(G·g·Gᵀ) ⊙ (Bᵀ·d·B)]·A
//
// Each function here is one of the matrices, applied to one row or column of vectors. Against the paper, G's
// factors (1/4, -1/6, -1/6, 1/24, 1/24 and 1 for 4x4) stand in Aᵀ, where they cost nothing.
//
// The points are 0, 1, -1, (2, -2, (1/2, -1/2)) and infinity. Point -1, at index kMirrored, has a use: the
// factor of a signal whose neighbours are equal in pairs is 0 there (see winograd_conv.h).
#pragma once

#include "cpu/vec.h"

namespace ipai::IPAI_TARGET {

template <int kOutputs>
struct WinogradSizes {
  static constexpr int kOut = kOutputs;
  static constexpr int kKernel = 3;
  static constexpr int kIn = kOut + kKernel - 1;
  static constexpr int kPositions = kIn * kIn;
  static constexpr int kMirrored = 2;
};

template <int kOutputs>
struct WinogradTransform;

template <>
struct WinogradTransform<2> : WinogradSizes<2> {
  static void input(const Vec (&d)[kIn], Vec (&v)[kIn]) {
    v[0] = d[0] - d[2];
    v[1] = d[1] + d[2];
    v[2] = d[2] - d[1];
    v[3] = d[3] - d[1];
  }

  static void weight(const Vec (&g)[kKernel], Vec (&u)[kIn]) {
    const Vec even = g[0] + g[2];
    u[0] = g[0];
    u[1] = even + g[1];
    u[2] = even - g[1];
    u[3] = g[2];
  }

  static void output(const Vec (&m)[kIn], Vec (&y)[kOut]) {
    const Vec half = Vec::broadcast(0.5f);
    y[0] = fma(half, m[1] + m[2], m[0]);
    y[1] = fma(half, m[1] - m[2], m[3]);
  }
};

template <>
struct WinogradTransform<4> : WinogradSizes<4> {
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

  static void weight(const Vec (&g)[kKernel], Vec (&u)[kIn]) {
    const Vec even_1 = g[0] + g[2], even_2 = fma(Vec::broadcast(4), g[2], g[0]);
    u[0] = g[0];
    u[1] = even_1 + g[1];
    u[2] = even_1 - g[1];
    u[3] = fma(Vec::broadcast(2), g[1], even_2);
    u[4] = fma(Vec::broadcast(-2), g[1], even_2);
    u[5] = g[2];
  }

  static void output(const Vec (&m)[kIn], Vec (&y)[kOut]) {
    const Vec minus_sixth = Vec::broadcast(-1 / 6.0f), sixth = Vec::broadcast(1 / 6.0f);
    const Vec even_1 = (m[1] + m[2]) * minus_sixth, odd_1 = (m[1] - m[2]) * minus_sixth;
    const Vec even_2 = m[3] + m[4], odd_2 = m[3] - m[4];
    y[0] = fma(m[0], Vec::broadcast(0.25f), fma(even_2, Vec::broadcast(1 / 24.0f), even_1));
    y[1] = fma(odd_2, Vec::broadcast(1 / 12.0f), odd_1);
    y[2] = fma(even_2, sixth, even_1);
    y[3] = fma(odd_2, Vec::broadcast(1 / 3.0f), odd_1) + m[5];
  }
};

template <>
struct WinogradTransform<6> : WinogradSizes<6> {
  static void input(const Vec (&d)[kIn], Vec (&v)[kIn]) {
    const Vec half = Vec::broadcast(0.5f), quarter = Vec::broadcast(0.25f), two = Vec::broadcast(2);
    const Vec minus_17_4 = Vec::broadcast(-4.25f), minus_5_2 = Vec::broadcast(-2.5f);
    const Vec c_21_4 = Vec::broadcast(5.25f);
    const Vec even_1 = fma(minus_17_4, d[4], d[2] + d[6]), odd_1 = fma(minus_17_4, d[3], d[1] + d[5]);
    const Vec even_2 = fma(quarter, d[2], fma(Vec::broadcast(-1.25f), d[4], d[6]));
    const Vec odd_2 = fma(half, d[1], fma(minus_5_2, d[3], two * d[5]));
    const Vec even_3 = fma(Vec::broadcast(4), d[2], fma(Vec::broadcast(-5), d[4], d[6]));
    const Vec odd_3 = fma(two, d[1], fma(minus_5_2, d[3], half * d[5]));
    v[0] = fma(c_21_4, d[4] - d[2], d[0] - d[6]);
    v[1] = even_1 + odd_1;
    v[2] = even_1 - odd_1;
    v[3] = even_2 + odd_2;
    v[4] = even_2 - odd_2;
    v[5] = even_3 + odd_3;
    v[6] = even_3 - odd_3;
    v[7] = fma(c_21_4, d[3] - d[5], d[7] - d[1]);
  }

  static void weight(const Vec (&g)[kKernel], Vec (&u)[kIn]) {
    const Vec two = Vec::broadcast(2), minus_two = Vec::broadcast(-2), four = Vec::broadcast(4);
    const Vec even_1 = g[0] + g[2], even_2 = fma(four, g[2], g[0]), even_3 = fma(four, g[0], g[2]);
    u[0] = g[0];
    u[1] = even_1 + g[1];
    u[2] = even_1 - g[1];
    u[3] = fma(two, g[1], even_2);
    u[4] = fma(minus_two, g[1], even_2);
    u[5] = fma(two, g[1], even_3);
    u[6] = fma(minus_two, g[1], even_3);
    u[7] = g[2];
  }

  // Factors: 1, -2/9, -2/9, 1/90, 1/90, 8/45, 8/45 and 1.
  static void output(const Vec (&m)[kIn], Vec (&y)[kOut]) {
    const auto parts = [](float n) { return Vec::broadcast(n / 180); };
    const Vec even_1 = (m[1] + m[2]) * parts(-40), odd_1 = (m[1] - m[2]) * parts(-40);
    const Vec even_2 = m[3] + m[4], odd_2 = m[3] - m[4];
    const Vec even_3 = m[5] + m[6], odd_3 = m[5] - m[6];
    y[0] = fma(even_2, parts(2), fma(even_3, parts(32), even_1 + m[0]));
    y[1] = fma(odd_2, parts(4), fma(odd_3, parts(16), odd_1));
    y[2] = fma(even_2, parts(8), fma(even_3, parts(8), even_1));
    y[3] = fma(odd_2, parts(16), fma(odd_3, parts(4), odd_1));
    y[4] = fma(even_2, parts(32), fma(even_3, parts(2), even_1));
    y[5] = fma(odd_2, parts(64), fma(odd_3, parts(1), odd_1 + m[7]));
  }
};

}  // namespace ipai::IPAI_TARGET
