#include "stress/bench/report.h"

#include <cmath>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

namespace tern::bench {
namespace {

std::string range(const Spread& spread) {
    if (std::isnan(spread.low)) return "-";
    return fmt::format("{}..{}", figure(spread.low), figure(spread.high));
}

std::string target_text(const Result& result) {
    const Target& target = result.row.target;
    const char* sign = result.row.better == Better::lower ? "<=" : ">=";
    std::string text;
    if (!std::isnan(target.value))
        text = fmt::format("{} {} {}", sign, figure(target.value), result.row.unit);
    if (!std::isnan(target.ratio)) {
        text += fmt::format("{}{} {} x {}", text.empty() ? "" : ", ", sign, figure(target.ratio),
                            target.peer.empty() ? "the best peer" : target.peer);
    }
    return text.empty() ? "none" : text;
}

/// The median, and the tail where there is one.
std::string measured(const Outcome& outcome) {
    if (std::isnan(outcome.tail)) return figure(outcome.value.median);
    return fmt::format("{} (p99 {})", figure(outcome.value.median), figure(outcome.tail));
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char one : text) {
        if (one == '"' || one == '\\') out += '\\';
        if (static_cast<unsigned char>(one) < 0x20) continue;
        out += one;
    }
    return out + "\"";
}

std::string number(double value) {
    return std::isfinite(value) ? fmt::format("{:.6g}", value) : "null";
}

std::string json_of(const Spread& spread) {
    return fmt::format(R"({{"median": {}, "quarter": {}, "three_quarters": {}}})",
                       number(spread.median), number(spread.low), number(spread.high));
}

std::string json_of(const Outcome& outcome) {
    return fmt::format(
        R"({{"name": {}, "rounds": {}, "value": {}, "p99": {}, "tern_by_this": {}, "cores": {}}})",
        quoted(outcome.name), outcome.values.size(), json_of(outcome.value), number(outcome.tail),
        json_of(outcome.ratio), number(outcome.cores));
}

std::string json_of(const Result& result) {
    const Row& row = result.row;
    std::string out =
        fmt::format(R"(  {{"id": {}, "group": {}, "text": {}, "unit": {}, "better": "{}",)",
                    quoted(row.id), quoted(row.group), quoted(row.text), quoted(row.unit),
                    row.better == Better::lower ? "lower" : "higher");
    out += fmt::format("\n   \"target\": {{\"value\": {}, \"ratio\": {}, \"peer\": {}}},",
                       number(row.target.value), number(row.target.ratio), quoted(row.target.peer));
    out += fmt::format(
        "\n   \"verdict\": {}, \"best_peer\": {}, \"other_processes\": {},\n   \"contestants\": [",
        quoted(name_of(result.verdict)), quoted(result.best_peer), number(result.others));
    for (std::size_t i = 0; i < result.outcomes.size(); ++i)
        out += (i == 0 ? "\n    " : ",\n    ") + json_of(result.outcomes[i]);
    out += "],\n   \"left_out\": [";
    for (std::size_t i = 0; i < result.absent.size(); ++i) {
        out += fmt::format("{}{{\"name\": {}, \"reason\": {}}}", i == 0 ? "" : ", ",
                           quoted(result.absent[i].name), quoted(result.absent[i].reason));
    }
    return out + "]}";
}

}  // namespace

std::string figure(double value) {
    if (!std::isfinite(value)) return "-";
    const double size = std::fabs(value);
    if (size >= 100 || size == 0) return fmt::format("{:.0f}", value);
    if (size >= 10) return fmt::format("{:.1f}", value);
    // What says how much more than one it is needs a digit more.
    if (size >= 1) return fmt::format("{:.{}f}", value, size < 1.1 ? 3 : 2);
    return fmt::format("{:.3g}", value);
}

std::string table_of(const Result& result) {
    const Row& row = result.row;
    std::string out = fmt::format("{}  {}\n", row.id, row.text);
    out += fmt::format("    target {}: {}\n", target_text(result), name_of(result.verdict));
    out += fmt::format("    {:<24}{:>10}  {:<18}{:>8}  {:>9}  {:<14}{:>6}\n", row.unit, "median",
                       "middle half", "p99", "tern/it", "middle half", "cores");
    for (const Outcome& one : result.outcomes) {
        const bool own = &one == &result.outcomes.front();
        out += fmt::format("    {:<24}{:>10}  {:<18}{:>8}  {:>9}  {:<14}{:>6}\n", one.name,
                           figure(one.value.median), range(one.value), figure(one.tail),
                           own ? "" : figure(one.ratio.median), own ? "" : range(one.ratio),
                           figure(one.cores));
    }
    for (const Absent& one : result.absent)
        out += fmt::format("    {:<24}left out: {}\n", one.name, one.reason);
    if (result.others > 0.1) {
        out += fmt::format("    other processes took {:.0f} % of the machine meanwhile\n",
                           result.others * 100);
    }
    return out;
}

std::string overview_of(const std::vector<Result>& results) {
    std::string out = fmt::format("{:<11}{:<14}{:>8} {:<8}{:>8} x {:<25} {}\n", "row", "verdict",
                                  "tern", "unit", "ratio", "peer", "target");
    for (const Result& result : results) {
        const Outcome* peer = result.decisive();
        const double own = result.outcomes.empty() ? nothing : result.outcomes.front().value.median;
        out += fmt::format("{:<11}{:<14}{:>8} {:<8}{:>8}   {:<25} {}\n", result.row.id,
                           name_of(result.verdict), figure(own), result.row.unit,
                           peer == nullptr ? "-" : figure(peer->ratio.median),
                           peer == nullptr ? "-" : peer->name, target_text(result));
    }
    return out;
}

std::string markdown_of(const std::vector<Result>& results) {
    std::string out =
        "| row | workload | tern | peers | tern / peer | target | |\n"
        "|---|---|---|---|---|---|---|\n";
    for (const Result& result : results) {
        if (result.outcomes.empty()) continue;
        std::string peers;
        for (std::size_t i = 1; i < result.outcomes.size(); ++i) {
            peers += fmt::format("{}{} {}", i == 1 ? "" : ", ", result.outcomes[i].name,
                                 measured(result.outcomes[i]));
        }
        const Outcome* peer = result.decisive();
        const std::string ratio =
            peer == nullptr ? "" : fmt::format("{} x {}", figure(peer->ratio.median), peer->name);
        out += fmt::format("| {} | {} | {} {} | {} | {} | {} | {} |\n", result.row.id,
                           result.row.text, measured(result.outcomes.front()), result.row.unit,
                           peers, ratio, target_text(result), name_of(result.verdict));
    }
    return out;
}

std::string csv_of(const std::vector<Result>& results) {
    std::string out = "row,unit,contestant,round,value,p99\n";
    for (const Result& result : results) {
        for (const Outcome& one : result.outcomes) {
            for (std::size_t i = 0; i < one.values.size(); ++i) {
                const std::string tail =
                    i < one.tails.size() ? fmt::format("{:.6g}", one.tails[i]) : "";
                out += fmt::format("{},{},\"{}\",{},{:.6g},{}\n", result.row.id, result.row.unit,
                                   one.name, i + 1, one.values[i], tail);
            }
        }
    }
    return out;
}

std::string json_of(const std::vector<Result>& results, const Surroundings& where) {
    std::string out = fmt::format(
        "{{\"date\": {}, \"processor\": {}, \"cores\": {}, \"kernel\": {}, \"compiler\": {},\n"
        " \"rows\": [",
        quoted(where.date), quoted(where.processor), where.cores, quoted(where.kernel),
        quoted(where.compiler));
    for (std::size_t i = 0; i < results.size(); ++i)
        out += (i == 0 ? "\n" : ",\n") + json_of(results[i]);
    return out + "]}\n";
}

}  // namespace tern::bench
