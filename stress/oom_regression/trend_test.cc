#include "stress/oom_regression/trend.h"

#include <cmath>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::oom {
namespace {

TEST_CASE("a straight line has its slope and no error") {
    const std::vector<double> values{10, 12, 14, 16};
    const Trend trend = trend_of(values, 5);
    CHECK(trend.slope == Approx(2));
    CHECK(trend.intercept == Approx(0).margin(1e-9));
    CHECK(trend.error == Approx(0).margin(1e-9));
    CHECK(trend.grows(1));
    CHECK_FALSE(trend.grows(3));
}

TEST_CASE("what stays is no growth") {
    CHECK_FALSE(trend_of(std::vector<double>(150, 4096.0), 0).grows(0));
}

TEST_CASE("the interval is that of a textbook example") {
    // Five points with residuals 0.1, -0.2, 0.2, -0.2, 0.1 around y = x; t(3) is 3.182.
    const std::vector<double> values{1.1, 1.8, 3.2, 3.8, 5.1};
    const Trend trend = trend_of(values, 1);
    CHECK(trend.slope == Approx(1.0));
    CHECK(trend.error == Approx(3.182 * std::sqrt(0.14 / 3 / 10)).epsilon(0.05));
}

TEST_CASE("growth is told from noise in nineteen of twenty cases") {
    std::mt19937 random(1);
    std::normal_distribution<double> noise(0, 1000);
    int false_alarms = 0;
    int missed = 0;
    for (int run = 0; run < 400; ++run) {
        std::vector<double> flat(150);
        std::vector<double> growing(150);
        for (std::size_t i = 0; i < flat.size(); ++i) {
            flat[i] = noise(random);
            growing[i] = noise(random) + 16 * static_cast<double>(i);
        }
        false_alarms += trend_of(flat, 0).low() > 0 ? 1 : 0;
        missed += trend_of(growing, 0).grows(1) ? 0 : 1;
    }
    // One side of the interval has 2.5 %, that is 10 of 400.
    CHECK(false_alarms <= 25);
    CHECK(missed == 0);
}

}  // namespace
}  // namespace tern::oom
