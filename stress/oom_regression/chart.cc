#include "stress/oom_regression/chart.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/core.h>

namespace tern::oom {

namespace {

constexpr double width = 760;
constexpr double panel_height = 210;
constexpr double left = 80;
constexpr double right = 20;
constexpr double top = 40;

/// Turns (cycle, kB) into a place in a panel.
struct Panel {
    double origin;  ///< upper edge
    double count;
    double low;  ///< a multiple of `step`, as is `high`
    double high;
    double step;  ///< between two lines

    double x(double cycle) const { return left + (width - left - right) * cycle / count; }

    double y(double value) const {
        return origin + (panel_height - 50) * (1 - (value - low) / (high - low));
    }
};

constexpr double kb_per_mb = 1024;

/// The least of 1, 2 and 5 times a power of ten MB that divides `span` into five at most.
double round_step(double span) {
    const double wanted = std::max(span / 5 / kb_per_mb, 0.01);
    const double power = std::pow(10, std::floor(std::log10(wanted)));
    for (const double factor : {1, 2, 5}) {
        if (factor * power >= wanted) return factor * power * kb_per_mb;
    }
    return 10 * power * kb_per_mb;
}

/// From zero, unless all values are near each other.
Panel panel_for(const Curve& curve, double origin) {
    const auto [least, most] = std::minmax_element(curve.values.begin(), curve.values.end());
    const bool near = *least > 0 && *most / *least < 1.2;
    const double low = near ? *least * 0.8 : 0;
    const double high = *most * 1.1 + 1;
    const double step = round_step(high - low);
    return {origin, static_cast<double>(curve.values.size()), std::floor(low / step) * step,
            std::ceil(high / step) * step, step};
}

void add_curve(std::string& svg, const Curve& curve, std::string_view colour, const Panel& panel) {
    const double bottom = panel.y(panel.low);
    const int decimals = panel.step < kb_per_mb ? (panel.step < kb_per_mb / 10 ? 2 : 1) : 0;
    for (double value = panel.low; value <= panel.high + panel.step / 2; value += panel.step) {
        svg += fmt::format(
            "<line x1='{}' x2='{}' y1='{:.1f}' y2='{:.1f}' stroke='#ddd'/>"
            "<text x='{}' y='{:.1f}' text-anchor='end'>{:.{}f} MB</text>\n",
            left, width - right, panel.y(value), panel.y(value), left - 6, panel.y(value) + 4,
            value / kb_per_mb, decimals);
    }
    std::string points;
    for (std::size_t i = 0; i < curve.values.size(); ++i) {
        points += fmt::format("{:.1f},{:.1f} ", panel.x(static_cast<double>(i + 1)),
                              panel.y(curve.values[i]));
    }
    svg += fmt::format("<polyline points='{}' fill='none' stroke='{}' stroke-width='1.5'/>\n",
                       points, colour);
    const auto from = static_cast<double>(curve.trend_from);
    const auto to = static_cast<double>(curve.values.size());
    const auto line = [&](double cycle) {
        return panel.y(curve.trend.intercept + curve.trend.slope * cycle);
    };
    svg += fmt::format(
        "<line x1='{:.1f}' y1='{:.1f}' x2='{:.1f}' y2='{:.1f}' stroke='#333' "
        "stroke-dasharray='5 4'/>\n",
        panel.x(from), line(from), panel.x(to), line(to));
    svg += fmt::format(
        "<text x='{}' y='{:.1f}' font-weight='bold' fill='{}'>{}</text>"
        "<text x='{}' y='{:.1f}' text-anchor='end'>{:+.2f} kB per cycle, 95 %: {:+.2f} to {:+.2f}"
        "</text>"
        "<text x='{}' y='{:.1f}' text-anchor='end'>{} cycles</text>\n",
        left, panel.origin - 8, colour, curve.name, width - right, panel.origin - 8,
        curve.trend.slope, curve.trend.low(), curve.trend.high(), width - right, bottom + 16,
        curve.values.size());
}

}  // namespace

std::string draw(std::string_view title, std::span<const Curve> curves) {
    constexpr std::array<std::string_view, 2> colours{"#0b5394", "#b45f06"};
    const double height = top + panel_height * static_cast<double>(curves.size()) + 10;
    std::string svg = fmt::format(
        "<svg xmlns='http://www.w3.org/2000/svg' width='{}' height='{}' "
        "font-family='sans-serif' font-size='12'>\n"
        "<rect width='100%' height='100%' fill='white'/>\n"
        "<text x='{}' y='18' font-size='14'>{}</text>\n",
        width, height, left, title);
    for (std::size_t i = 0; i < curves.size(); ++i) {
        const double origin = top + 20 + panel_height * static_cast<double>(i);
        add_curve(svg, curves[i], colours[i % colours.size()], panel_for(curves[i], origin));
    }
    return svg + "</svg>\n";
}

}  // namespace tern::oom
