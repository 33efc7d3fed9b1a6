#pragma once
/// Counters of a channel, one row per kind of change, as `show protocols all` prints them.
/// Each path counts its own rows under its own domain; readers copy them.
/// Nothing is ever reset but by a restart of the channel.

#include <cstdint>

namespace tern::channel {

struct ChangeCounters {
    std::uint64_t received = 0;
    std::uint64_t rejected = 0;  ///< by the protocol or as an impossible route
    std::uint64_t filtered = 0;
    std::uint64_t ignored = 0;  ///< changed nothing
    std::uint64_t receive_limit = 0;
    std::uint64_t limit = 0;
    std::uint64_t accepted = 0;
};

struct ImportStats {
    ChangeCounters updates;
    ChangeCounters withdraws;
    std::uint64_t routes = 0;    ///< routes of this channel in the table, accepted ones
    std::uint64_t filtered = 0;  ///< kept although rejected
};

struct ExportStats {
    ChangeCounters updates;
    ChangeCounters withdraws;
    std::uint64_t routes = 0;  ///< prefixes announced now
};

}  // namespace tern::channel
