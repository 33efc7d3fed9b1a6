#pragma once

/// What memory does over many cycles: a straight line through the samples and how sure it is.
/// Values only; owned by whoever measures. The line is the least-squares one, its uncertainty the
/// usual one of independent errors, at 95 %. Nothing here reads the clock or the process.

#include <cstddef>
#include <span>

namespace tern::oom {

struct Trend {
    double slope = 0;      ///< per cycle
    double intercept = 0;  ///< at cycle 0
    double error = 0;      ///< half of the 95 % confidence interval of the slope

    double low() const { return slope - error; }

    double high() const { return slope + error; }

    /// Growth is what cannot be explained by chance and is more than `bound` per cycle.
    bool grows(double bound) const { return low() > 0 && slope > bound; }
};

/// The line through (first, values[0]), (first + 1, values[1]), ...; needs three values at least.
Trend trend_of(std::span<const double> values, std::size_t first);

}  // namespace tern::oom
