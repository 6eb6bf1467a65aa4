// timestep_embedding against its formula in float64 and, in float32, step by step.
#include "checks.h"

namespace ipai::test {
namespace {

struct Case {
  uint32_t dim;
  bool flip;
  double shift;
  double max_period = 10000;
};

HostTensor embed(const Target& target, const Case& c, const std::vector<double>& timesteps) {
  HostTensor t(DType::kFloat32, {static_cast<int64_t>(timesteps.size())});
  for (size_t i = 0; i < timesteps.size(); ++i) t.set(static_cast<int64_t>(i), timesteps[i]);
  const AttributeMap attributes{{"dim", static_cast<double>(c.dim)},
                                {"flip_sin_to_cos", c.flip ? 1.0 : 0.0},
                                {"downscale_freq_shift", c.shift},
                                {"max_period", c.max_period}};
  return run_every_way(target.op("timestep_embedding"), attributes, {t}, DType::kFloat32,
                       {static_cast<int64_t>(timesteps.size()), c.dim});
}

double expected(const Case& c, double timestep, int64_t column) {
  const int64_t half = c.dim / 2;
  if (column == 2 * half) return 0;
  const double frequency = std::exp(-std::log(c.max_period) * static_cast<double>(column % half) /
                                    (static_cast<double>(half) - c.shift));
  const bool cosine = (column < half) == c.flip;
  return cosine ? std::cos(timestep * frequency) : std::sin(timestep * frequency);
}

}  // namespace

TEST_CASE("timestep_embedding: sines and cosines of timestep / max_period^(i / (dim/2 - shift))") {
  for (const Target& target : targets()) {
    for (const Case c : {Case{320, true, 0},
                         {320, false, 1},
                         {256, true, 0.5},
                         {7, false, 0},
                         {2, true, 0},
                         {32, false, 1, 100}}) {
      const std::vector<double> timesteps = {0, 1, 0.5, 20, 999};
      const HostTensor got = embed(target, c, timesteps);
      for (size_t row = 0; row < timesteps.size(); ++row) {
        // A frequency rounded three times to float32 is off by some 2e-7 of itself, the angle by as much.
        const double tolerance = 1e-7 + 4e-7 * timesteps[row];
        double worst = 0;
        for (int64_t i = 0; i < c.dim; ++i) {
          worst = std::max(worst, std::fabs(got.at(static_cast<int64_t>(row) * c.dim + i) -
                                            expected(c, timesteps[row], i)));
        }
        CHECK_LT(worst, tolerance);
      }
    }
  }
}

// Computed with diffusers 0.40 (PyTorch, float32): get_timestep_embedding(tensor([981.0]), 320,
// flip_sin_to_cos=True, downscale_freq_shift=0), columns 0, 1, 3, 50, 100, 159, 160, 161, 163, 210, 260, 319.
TEST_CASE("timestep_embedding: float32 angles are rounded as PyTorch rounds them") {
  const std::vector<std::pair<int64_t, double>> known = {
      {0, 0.679957211},    {1, -0.798429191},   {3, -0.674700439},   {50, 0.186702624},
      {100, -0.999223948}, {159, 0.994605899},  {160, 0.73325181},   {161, 0.60208869},
      {163, 0.738091648},  {210, -0.982416451}, {260, 0.0393891074}, {319, 0.10372588}};
  for (const Target& target : targets()) {
    const HostTensor got = embed(target, {320, true, 0}, {981});
    for (const auto& [column, value] : known) CHECK_LT(std::fabs(got.at(column) - value), 1e-6);
  }
}

TEST_CASE("timestep_embedding: refuses attributes and types that do not fit") {
  const Op& op = targets()[0].op("timestep_embedding");
  const HostTensor t(DType::kFloat32, {3});
  const auto check = [&](double dim, double shift, double period, const HostTensor& timesteps) {
    return validate(
        op, {{"dim", dim}, {"flip_sin_to_cos", 1.0}, {"downscale_freq_shift", shift}, {"max_period", period}},
        {timesteps}, HostTensor(DType::kFloat32, {3, 4}).type());
  };
  CHECK_EQ(check(4, 1, 10000, t), "");
  CHECK_NE(check(4, 2, 10000, t), "");
  CHECK_NE(check(1, 0, 10000, t), "");
  CHECK_NE(check(4, 0, 0, t), "");
  CHECK_NE(check(5, 0, 10000, t), "");
  CHECK_NE(check(4, 0, 10000, HostTensor(DType::kInt32, {3})), "");
  CHECK_NE(check(4, 0, 10000, HostTensor(DType::kFloat32, {3, 1})), "");
}

}  // namespace ipai::test
