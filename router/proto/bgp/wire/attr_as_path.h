#pragma once

/// AS_PATH and AS4_PATH on the wire.
/// Inside the router a path is the RFC 4271 segment list with 4-octet numbers in network order, so
/// a path of a 4-octet session is used as received; this file checks it, widens and narrows the
/// 2-octet form, and merges AS4_PATH. What a path means (loops, prepending) is not decided here.
/// Source: RFC 4271 section 4.3, RFC 5065 section 3, RFC 6793, RFC 7606 section 7.2, RFC 7607,
/// RFC 9774.

#include "router/base/bytes.h"

#include <cstdint>
#include <vector>

namespace tern::bgp::wire {

enum class SegmentType : std::uint8_t {
    set = 1,
    sequence = 2,
    confed_sequence = 3,
    confed_set = 4
};

enum class AsWidth : std::uint8_t { two = 2, four = 4 };

struct PathRules {
    AsWidth width = AsWidth::four;
    bool confed_segments = false;  ///< the neighbour is a member of our confederation
    bool as_sets = false;          ///< tolerate AS_SET and AS_CONFED_SET
};

enum class PathFault : std::uint8_t {
    none,
    truncated,      ///< a segment runs over the end, or one octet is left over
    empty_segment,  ///< RFC 7606 section 7.2
    unknown_segment,
    confed_segment,  ///< RFC 5065 section 5: from a neighbour outside the confederation
    as_set,          ///< RFC 9774 section 3
    zero_as,         ///< RFC 7607 section 2
};

[[nodiscard]] PathFault check_as_path(Bytes path, const PathRules& rules);

/// Path length as RFC 6793 section 4.2.3 and RFC 5065 section 5.3 count it: a set is one,
/// confederation segments are none. `path` is a checked 4-octet path.
[[nodiscard]] unsigned count_as_path(Bytes path);

/// Appends the 4-octet form of a checked 2-octet path to `out`.
void widen_as_path(Bytes path, std::vector<std::uint8_t>& out);

/// Appends the 2-octet form of a checked 4-octet path, AS_TRANS standing for large numbers.
/// Returns whether any number was large, i.e. whether AS4_PATH has to be sent beside it.
bool narrow_as_path(Bytes path, std::vector<std::uint8_t>& out);

/// Appends the path without confederation segments: the form AS4_PATH has (RFC 6793 section 3)
/// and what leaves a confederation (RFC 5065 section 4.1 c).
void strip_confed_segments(Bytes path, std::vector<std::uint8_t>& out);

/// Appends the path that a 2-octet neighbour meant: the leading numbers of `path` (checked,
/// widened) followed by `as4_path` (checked 4-octet). When AS4_PATH is the longer one it is ignored
/// (RFC 6793 section 4.2.3) and `path` itself is appended.
void merge_as4_path(Bytes path, Bytes as4_path, std::vector<std::uint8_t>& out);

/// Appends `path` with `as` put in front in a segment of `type` (sequence or
/// confed_sequence), joined to the first segment of that type while it has room for 255 numbers.
struct Prepend {
    SegmentType type = SegmentType::sequence;
    std::uint32_t as = 0;
};

void prepend_as(Bytes path, Prepend prepend, std::vector<std::uint8_t>& out);

/// Calls `visit(SegmentType, Bytes numbers)` for each segment of a checked 4-octet path, in order,
/// until one returns false.
template <class Visitor>
void each_segment(Bytes path, Visitor&& visit) {
    while (path.size() >= 2) {
        const std::size_t octets = std::size_t{path[1]} * 4;
        if (path.size() < 2 + octets) return;
        if (!visit(static_cast<SegmentType>(path[0]), path.subspan(2, octets))) return;
        path = path.subspan(2 + octets);
    }
}

}  // namespace tern::bgp::wire
