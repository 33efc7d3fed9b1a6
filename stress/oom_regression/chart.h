#pragma once

/// A picture of the run: mapped and resident memory over the cycles, each with the line of its
/// trend, because growth is seen sooner than read. Values in, an SVG out; owned by nobody, no
/// domain. It never reads the run itself and writes no file.

#include "stress/oom_regression/trend.h"

#include <span>
#include <string>
#include <string_view>

namespace tern::oom {

struct Curve {
    std::string_view name;           ///< "mapped"
    std::span<const double> values;  ///< kB, from cycle 1 on
    Trend trend;
    std::size_t trend_from = 1;  ///< first cycle that the trend is about
};

std::string draw(std::string_view title, std::span<const Curve> curves);

}  // namespace tern::oom
