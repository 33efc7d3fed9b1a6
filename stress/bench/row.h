#pragma once

/// What is compared: a row is one workload, its contestants are tern and its peers doing it.
/// The suite owns rows and runs their contestants in turn (A B C A B C ...), so that what disturbs
/// the machine disturbs them alike and the ratio between them can be believed. A contestant does
/// its whole workload in each call and keeps nothing for the next; it never prints.

#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tern::bench {

inline constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

/// What one call of a contestant measured, in the unit of its row.
struct Sample {
    // Not explicit: most contestants measure one number and return it.
    Sample(double value_) : value(value_) {}

    Sample(double value_, double tail_) : value(value_), tail(tail_) {}

    double value;
    double tail = nothing;  ///< 99th percentile, where single operations were timed
};

struct Contestant {
    std::string name;
    std::function<Sample()> run;
    std::string preload;  ///< library put before all others in a process of its own
};

/// Why a peer is not compared here; shown beside the others.
struct Absent {
    std::string name;
    std::string reason;
};

enum class Better : unsigned char { lower, higher };

/// What tern should reach; what is `nothing` is not asked for. With Better::lower both are upper
/// bounds, with Better::higher lower ones.
struct Target {
    double value = nothing;  ///< in the unit of the row, on the machine it was set for
    double ratio = nothing;  ///< tern / peer, median over the rounds
    std::string peer;        ///< of the ratio; empty: whoever is best
};

struct Row {
    std::string id;     ///< as in "L1"
    std::string group;  ///< rows of one group share a picture
    std::string text;
    std::string unit;
    Target target;
    Better better = Better::lower;
    unsigned rounds = 20;
    bool own_process = false;             ///< each call in a fresh process, for memory and pages
    std::vector<Contestant> contestants;  ///< tern first
    std::vector<Absent> absent;

    Row& add(std::string_view name, std::function<Sample()> run) {
        contestants.push_back({std::string(name), std::move(run), {}});
        return *this;
    }

    /// The same code once with each malloc: the C library's, and those that replace it by being
    /// loaded first. All calls of such a row run in processes of their own.
    Row& add_mallocs(const std::function<Sample()>& run) {
        own_process = true;
        contestants.push_back({"glibc", run, {}});
        contestants.push_back({"jemalloc", run, "libjemalloc.so.2"});
        contestants.push_back({"mimalloc", run, "libmimalloc.so.2"});
        contestants.push_back({"tcmalloc", run, "libtcmalloc_minimal.so.4"});
        return *this;
    }

    Row& leave_out(std::string_view name, std::string_view reason) {
        absent.push_back({std::string(name), std::string(reason)});
        return *this;
    }
};

}  // namespace tern::bench
