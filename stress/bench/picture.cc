#include "stress/bench/picture.h"

#include "stress/bench/report.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

namespace tern::bench {
namespace {

// All in pixels.
constexpr double width = 820;
constexpr double margin = 16;
constexpr double head_height = 44;
constexpr double title_height = 26;
constexpr double bar_height = 15;
constexpr double bar_step = 20;
constexpr double row_gap = 18;
constexpr double letter_width = 7.4;  ///< of a name, generously
constexpr double figures_width = 190;

/// Longer bars than this many times the shortest are cut.
constexpr double longest_by_shortest = 12;

constexpr std::string_view own_colour = "#0f766e";
constexpr std::string_view peer_colour = "#b6bdc7";
constexpr std::string_view dark = "#1f2933";
constexpr std::string_view pale = "#6b7785";
constexpr std::string_view target_colour = "#c2410c";

std::string escaped(std::string_view text) {
    std::string out;
    for (const char one : text) {
        switch (one) {
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '&':
                out += "&amp;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += one;
        }
    }
    return out;
}

struct Label {
    double x;
    double y;
    int size;
    std::string_view colour;
    std::string_view anchor = "start";
    std::string_view weight = "normal";
};

std::string text(const Label& label, std::string_view content) {
    // The white rim keeps a figure readable where the target line crosses it.
    return fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{}\" fill=\"{}\" text-anchor=\"{}\" "
        "font-weight=\"{}\" paint-order=\"stroke\" stroke=\"#ffffff\" stroke-width=\"3\" "
        "stroke-linejoin=\"round\">{}</text>\n",
        label.x, label.y, label.size, label.colour, label.anchor, label.weight, escaped(content));
}

std::string line(double x1, double y1, double x2, double y2, std::string_view style) {
    return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" {}/>\n", x1,
                       y1, x2, y2, style);
}

/// Where the bars of a group lie: to the right of the longest name, and as wide as is left.
struct Columns {
    double left = 0;
    double width = 0;
};

Columns columns_of(const std::vector<Result>& results, std::string_view group) {
    std::size_t longest = 0;
    for (const Result& result : results) {
        if (result.row.group != group) continue;
        for (const Outcome& one : result.outcomes)
            longest = std::max(longest, one.name.size());
    }
    const double left = 2 * margin + letter_width * static_cast<double>(longest);
    return {left, width - left - figures_width};
}

/// Pixels for a value of one row.
class Scale {
  public:
    Scale(const Result& result, const Columns& columns) : columns_(columns) {
        double shortest = nothing;
        for (const Outcome& one : result.outcomes) {
            shortest = std::fmin(shortest, one.value.median);
            longest_ = std::fmax(longest_, std::fmax(one.value.median, one.value.high));
        }
        if (shortest > 0) longest_ = std::fmin(longest_, shortest * longest_by_shortest);
        if (!(longest_ > 0)) longest_ = 1;
    }

    bool cut(double value) const { return value > longest_; }

    double left() const { return columns_.left; }

    double x(double value) const {
        return columns_.left + std::clamp(value / longest_, 0.0, 1.0) * columns_.width;
    }

  private:
    Columns columns_;
    double longest_ = 0;
};

std::string value_label(const Result& result, const Outcome& one) {
    std::string label = fmt::format("{} {}", figure(one.value.median), result.row.unit);
    if (!std::isnan(one.tail)) label += fmt::format(", p99 {}", figure(one.tail));
    if (&one != &result.outcomes.front() && std::isfinite(one.ratio.median))
        label += fmt::format(" (tern {}x)", figure(one.ratio.median));
    return label;
}

std::string bar(const Result& result, const Outcome& one, const Scale& scale, double y) {
    const bool own = &one == &result.outcomes.front();
    const double end = scale.x(one.value.median);
    std::string out = fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{}\" rx=\"2\" fill=\"{}\"/>\n",
        scale.left(), y, std::max(end - scale.left(), 1.0), bar_height,
        own ? own_colour : peer_colour);
    if (scale.cut(one.value.median)) {
        for (const double shift : {18.0, 12.0}) {
            out += line(end - shift, y + bar_height + 1, end - shift + 5, y - 1,
                        "stroke=\"#ffffff\" stroke-width=\"2.5\"");
        }
    } else if (std::isfinite(one.value.low)) {
        const double middle = y + bar_height / 2;
        out += line(scale.x(one.value.low), middle, scale.x(one.value.high), middle,
                    fmt::format("stroke=\"{}\" stroke-width=\"1.2\"", dark));
    }
    return out;
}

std::string labels(const Result& result, const Outcome& one, const Scale& scale, double y) {
    const bool own = &one == &result.outcomes.front();
    const double base = y + bar_height - 3;
    const double end = std::fmax(scale.x(one.value.median), scale.x(one.value.high));
    return text({scale.left() - 8, base, 12, own ? own_colour : dark, "end",
                 own ? "bold" : "normal"},
                one.name) +
           text({end + 7, base, 11, pale}, value_label(result, one));
}

double height_of(const Result& result) {
    return title_height + bar_step * static_cast<double>(result.outcomes.size()) + row_gap;
}

std::string row_picture(const Result& result, const Columns& columns, double top) {
    const Row& row = result.row;
    std::string out = text({margin, top + 15, 13, dark, "start", "bold"}, row.id + ": " + row.text);
    const Scale scale(result, columns);
    const double first = top + title_height;
    double y = first;
    for (const Outcome& one : result.outcomes) {
        out += bar(result, one, scale, y);
        y += bar_step;
    }
    if (std::isfinite(row.target.value) && !scale.cut(row.target.value)) {
        const double x = scale.x(row.target.value);
        out += line(x, first - 4, x, y,
                    fmt::format("stroke=\"{}\" stroke-width=\"1.3\" stroke-dasharray=\"4 3\"",
                                target_colour));
    }
    y = first;
    for (const Outcome& one : result.outcomes) {
        out += labels(result, one, scale, y);
        y += bar_step;
    }
    return out;
}

}  // namespace

std::vector<std::string> groups_of(const std::vector<Result>& results) {
    std::vector<std::string> groups;
    for (const Result& result : results) {
        if (std::find(groups.begin(), groups.end(), result.row.group) == groups.end())
            groups.push_back(result.row.group);
    }
    return groups;
}

std::string file_name_of(std::string_view group) {
    std::string name;
    for (const char one : group) {
        const auto letter = static_cast<unsigned char>(one);
        if (std::isalnum(letter) != 0) {
            name += static_cast<char>(std::tolower(letter));
        } else if (!name.empty() && name.back() != '-') {
            name += '-';
        }
    }
    while (name.ends_with('-'))
        name.pop_back();
    return name;
}

std::string picture_of(const std::vector<Result>& results, std::string_view group) {
    std::string body = text({margin, 24, 16, dark, "start", "bold"}, group);
    body += text(
        {width - margin, 24, 11, pale, "end"},
        "median of the rounds, middle half as whisker; dashed: target; (tern 0.5x): of this one");
    const Columns columns = columns_of(results, group);
    double y = head_height;
    for (const Result& result : results) {
        if (result.row.group != group || result.outcomes.empty()) continue;
        body += row_picture(result, columns, y);
        y += height_of(result);
    }
    return fmt::format(
               "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
               "viewBox=\"0 0 {0:.0f} {1:.0f}\" font-family=\"Helvetica, Arial, sans-serif\">\n"
               "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
               width, y) +
           body + "</svg>\n";
}

}  // namespace tern::bench
