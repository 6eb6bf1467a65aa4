// Blocks of 64 normal numbers from a counter. Plain C++ over fixed-size arrays, which compilers turn into
// vector instructions; it uses no fused operations, so that every target gives equal bits.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace ipai::IPAI_TARGET {

inline constexpr int kCounters = 16;              // of one block
inline constexpr int kBlockSize = 4 * kCounters;  // numbers of one block

// Philox4x32-10 (Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3, section 3.3) of the
// counters 16·block ... 16·block + 15 under the key (seed, 0): words[w][c] is word w of counter c.
inline void philox(uint32_t seed, uint64_t block, uint32_t (&words)[4][kCounters]) {
  for (int c = 0; c < kCounters; ++c) {
    const uint64_t counter = block * kCounters + static_cast<uint64_t>(c);
    words[0][c] = static_cast<uint32_t>(counter);
    words[1][c] = static_cast<uint32_t>(counter >> 32);
    words[2][c] = 0;
    words[3][c] = 0;
  }
  uint32_t key0 = seed;
  uint32_t key1 = 0;
  for (int round = 0; round < 10; ++round) {
    for (int c = 0; c < kCounters; ++c) {
      const uint64_t product0 = uint64_t{0xD2511F53} * words[0][c];
      const uint64_t product1 = uint64_t{0xCD9E8D57} * words[2][c];
      words[0][c] = static_cast<uint32_t>(product1 >> 32) ^ words[1][c] ^ key0;
      words[1][c] = static_cast<uint32_t>(product1);
      words[2][c] = static_cast<uint32_t>(product0 >> 32) ^ words[3][c] ^ key1;
      words[3][c] = static_cast<uint32_t>(product0);
    }
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
}

// ln x for normal positive x: x = m·2^e with m in [sqrt(1/2), sqrt(2)), polynomial of Moshier's Cephes
// library (logf).
inline float natural_log(float x) {
  constexpr float kP[] = {7.0376836292e-2f,  -1.1514610310e-1f, 1.1676998740e-1f,
                          -1.2420140846e-1f, 1.4249322787e-1f,  -1.6668057665e-1f,
                          2.0000714765e-1f,  -2.4999993993e-1f, 3.3333331174e-1f};
  int32_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  const int32_t exponent = (bits - 0x3f3504f3) >> 23;
  bits -= exponent * (1 << 23);
  float m;
  std::memcpy(&m, &bits, sizeof(m));
  m -= 1;
  float p = kP[0];
  for (int i = 1; i < 9; ++i) p = p * m + kP[i];
  return m + (m * m * (p * m - 0.5f) + static_cast<float>(exponent) * 0.693147180559945f);
}

// Sine and cosine of `turns` · 2π for turns in [0, 1): Taylor polynomials within an eighth of a turn around
// the nearest quarter, then exchanged and negated by the quarter's number.
inline void sine_cosine(float turns, float& sine, float& cosine) {
  const auto quarter = static_cast<int32_t>(turns * 4 + 0.5f);
  const float angle = (turns - static_cast<float>(quarter) * 0.25f) * 6.283185307179586f;
  const float square = angle * angle;
  const float s =
      angle * (1 + square * (-1.6666667e-1f +
                             square * (8.3333333e-3f + square * (-1.9841270e-4f + square * 2.7557e-6f))));
  const float c =
      1 + square * (-0.5f + square * (4.1666667e-2f + square * (-1.3888889e-3f + square * 2.48016e-5f)));
  const bool odd = (quarter & 1) != 0;
  const float positive_sine = odd ? c : s;
  const float positive_cosine = odd ? s : c;
  sine = (quarter & 2) != 0 ? -positive_sine : positive_sine;
  cosine = ((quarter + 1) & 2) != 0 ? -positive_cosine : positive_cosine;
}

// Two normal numbers from two words (Box & Muller 1958), with 24 random bits each; |z| < 5.8.
inline void box_muller(uint32_t radius_word, uint32_t angle_word, float& first, float& second) {
  const float uniform =
      static_cast<float>(static_cast<int32_t>((radius_word >> 8) + 1)) * 0x1p-24f;           // (0, 1]
  const float turns = static_cast<float>(static_cast<int32_t>(angle_word >> 8)) * 0x1p-24f;  // [0, 1)
  const float radius = std::sqrt(-2 * natural_log(uniform));
  float sine, cosine;
  sine_cosine(turns, sine, cosine);
  first = radius * cosine;
  second = radius * sine;
}

// Elements 64·block ... 64·block + 63 of the noise of `seed`, scaled.
inline void normal_block(uint32_t seed, uint64_t block, float mean, float std, float (&values)[kBlockSize]) {
  uint32_t words[4][kCounters];
  philox(seed, block, words);
  for (int c = 0; c < kCounters; ++c) {
    float first, second;
    box_muller(words[0][c], words[1][c], first, second);
    values[c] = first * std + mean;
    values[kCounters + c] = second * std + mean;
  }
  for (int c = 0; c < kCounters; ++c) {
    float first, second;
    box_muller(words[2][c], words[3][c], first, second);
    values[2 * kCounters + c] = first * std + mean;
    values[3 * kCounters + c] = second * std + mean;
  }
}

}  // namespace ipai::IPAI_TARGET
