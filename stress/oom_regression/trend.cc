#include "stress/oom_regression/trend.h"

#include "locking/check.h"

#include <cmath>

namespace tern::oom {

namespace {

/// Student's t for 97.5 % and so many degrees of freedom, by the expansion around the normal one.
double student_t(double freedom) {
    constexpr double z = 1.959964;
    const double z3 = z * z * z;
    const double z5 = z3 * z * z;
    return z + (z3 + z) / (4 * freedom) + (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom * freedom);
}

}  // namespace

Trend trend_of(std::span<const double> values, std::size_t first) {
    TERN_ASSERT(values.size() >= 3, "a trend of ", values.size(), " values");
    const auto count = static_cast<double>(values.size());
    double sum_x = 0;
    double sum_y = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        sum_x += static_cast<double>(first + i);
        sum_y += values[i];
    }
    const double mean_x = sum_x / count;
    const double mean_y = sum_y / count;
    double xx = 0;
    double xy = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double x = static_cast<double>(first + i) - mean_x;
        xx += x * x;
        xy += x * (values[i] - mean_y);
    }
    Trend trend;
    trend.slope = xy / xx;
    trend.intercept = mean_y - trend.slope * mean_x;
    double residual = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double off =
            values[i] - trend.intercept - trend.slope * static_cast<double>(first + i);
        residual += off * off;
    }
    trend.error = student_t(count - 2) * std::sqrt(residual / (count - 2) / xx);
    return trend;
}

}  // namespace tern::oom
