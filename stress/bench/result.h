#pragma once

/// What came out of a row: figures of each contestant, their ratios round by round, and whether the
/// target was met. Pure functions over the samples, so that they can be tested without a clock.
/// The suite makes results; tables, files and pictures read them and change nothing.

#include "stress/bench/row.h"

#include <string>
#include <string_view>
#include <vector>

namespace tern::bench {

/// The value below which `share` of the list lies, between neighbours by proportion; `nothing` of
/// an empty list.
double quantile(std::vector<double> values, double share);

struct Spread {
    double median = nothing;
    double low = nothing;   ///< a quarter lies below
    double high = nothing;  ///< a quarter lies above
};

Spread spread_of(const std::vector<double>& values);

/// One contestant over all rounds.
struct Outcome {
    std::string name;
    std::vector<double> values;  ///< one per round, in order
    std::vector<double> tails;
    double cores = nothing;  ///< CPU time by wall time; more than 1 where threads ran
    Spread value;
    double tail = nothing;  ///< median of the 99th percentiles
    Spread ratio;           ///< tern / this one, of the same round
};

enum class Verdict : unsigned char {
    no_target,
    met,
    ratio_only,  ///< the machine is slower than the one the value was set for, or busy
    value_only,  ///< and the peer is faster too
    missed,
    failed,  ///< tern itself could not run
};

std::string_view name_of(Verdict verdict);

struct Result {
    Row row;
    std::vector<Outcome> outcomes;  ///< tern first; without those that could not run
    std::vector<Absent> absent;
    std::string best_peer;  ///< empty if there is none
    std::string judged_by;  ///< the peer of the target's ratio
    Verdict verdict = Verdict::no_target;
    double others = nothing;  ///< share of the machine that went to other processes

    const Outcome* find(std::string_view name) const;

    /// tern against the peer that decides (the named one, else the best); null if there is none.
    const Outcome* decisive() const { return find(judged_by); }
};

/// Fills in everything that follows from the values: spreads, ratios, best peer, verdict.
void conclude(Result& result);

}  // namespace tern::bench
