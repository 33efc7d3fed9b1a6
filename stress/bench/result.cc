#include "stress/bench/result.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace tern::bench {
namespace {

bool at_least_as_good(Better better, double value, double bound) {
    return better == Better::lower ? value <= bound : value >= bound;
}

void find_best_peer(Result& result) {
    const Outcome* best = nullptr;
    for (std::size_t i = 1; i < result.outcomes.size(); ++i) {
        const Outcome& peer = result.outcomes[i];
        if (best == nullptr ||
            !at_least_as_good(result.row.better, best->value.median, peer.value.median)) {
            best = &peer;
        }
    }
    if (best != nullptr) result.best_peer = best->name;
}

Verdict judge(const Result& result) {
    const Target& target = result.row.target;
    const Better better = result.row.better;
    if (result.outcomes.empty()) return Verdict::failed;
    const bool asks_value = !std::isnan(target.value);
    const Outcome* peer = result.decisive();
    const bool asks_ratio = !std::isnan(target.ratio) && peer != nullptr;
    const bool value_met =
        asks_value && at_least_as_good(better, result.outcomes.front().value.median, target.value);
    const bool ratio_met = asks_ratio && at_least_as_good(better, peer->ratio.median, target.ratio);
    if (!asks_value && !asks_ratio) return Verdict::no_target;
    if (asks_value == value_met && asks_ratio == ratio_met) return Verdict::met;
    if (ratio_met) return Verdict::ratio_only;
    return value_met ? Verdict::value_only : Verdict::missed;
}

}  // namespace

double quantile(std::vector<double> values, double share) {
    if (values.empty()) return nothing;
    std::sort(values.begin(), values.end());
    const double place = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    const double part = place - static_cast<double>(below);
    return values[below] * (1 - part) + values[above] * part;
}

Spread spread_of(const std::vector<double>& values) {
    return {quantile(values, 0.5), quantile(values, 0.25), quantile(values, 0.75)};
}

std::string_view name_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::no_target:
            return "no target";
        case Verdict::met:
            return "met";
        case Verdict::ratio_only:
            return "met by ratio";
        case Verdict::value_only:
            return "met by value";
        case Verdict::missed:
            return "missed";
        case Verdict::failed:
            return "failed";
    }
    return "";
}

const Outcome* Result::find(std::string_view name) const {
    for (const Outcome& outcome : outcomes) {
        if (!name.empty() && outcome.name == name) return &outcome;
    }
    return nullptr;
}

void conclude(Result& result) {
    for (Outcome& outcome : result.outcomes) {
        outcome.value = spread_of(outcome.values);
        outcome.tail = quantile(outcome.tails, 0.5);
        const std::vector<double>& own = result.outcomes.front().values;
        std::vector<double> ratios;
        for (std::size_t i = 0; i < std::min(own.size(), outcome.values.size()); ++i)
            ratios.push_back(own[i] / outcome.values[i]);
        outcome.ratio = spread_of(ratios);
    }
    find_best_peer(result);
    result.judged_by = result.row.target.peer.empty() ? result.best_peer : result.row.target.peer;
    result.verdict = judge(result);
}

}  // namespace tern::bench
