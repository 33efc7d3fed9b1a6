#pragma once

/// Chooses the better of two BGP routes of one prefix and equal preference. The ladder:
///   1 not suppressed (deterministic MED)      8 lower MED, if of one neighbour AS
///   2 next hop resolvable                     9 external before interior
///   3 not long-lived stale                   10 lower metric of the next hop
///   4 higher LOCAL_PREF                      11 older, if so configured
///   5 lower accumulated AIGP                 12 lower ORIGINATOR_ID or router id
///   6 shorter AS_PATH                        13 shorter CLUSTER_LIST
///   7 lower ORIGIN                           14 lower neighbour address
/// Options count when either route's session has them. Pure: no domain needed; the attribute sets
/// are borrowed. Cost: attribute look-ups down to the step that decides.
/// Source: RFC 4271 section 9.1.2.2, RFC 4456 section 9, RFC 5004, RFC 5065, RFC 7311, RFC 9494.

#include "router/attr/attribute_set.h"
#include "router/proto/bgp/session_facts.h"

#include <cstdint>

namespace tern::bgp {

/// A metric that means "cannot be told" or "unreachable".
inline constexpr std::uint32_t metric_infinity = 0x7fffffff;

struct BestPathInputs {
    const attr::AttributeSet* attributes = nullptr;
    const SessionFacts* session = nullptr;
    std::uint64_t time = 0;          ///< of arrival, any unit
    std::uint32_t local_metric = 0;  ///< distance to the next hop, metric_infinity if unknown
    bool suppressed = false;
    bool resolvable = true;
    bool stale = false;  ///< LLGR_STALE
};

/// Does `a` beat `b`? False on a tie.
[[nodiscard]] bool better(const BestPathInputs& a, const BestPathInputs& b);

/// May both be used at once: equal in steps 1-4 and 6-10.
[[nodiscard]] bool mergeable(const BestPathInputs& a, const BestPathInputs& b);

/// The AS a MED belongs to: the first of the path if it is in a plain sequence, else our own.
[[nodiscard]] AsNumber neighbour_as(const BestPathInputs& route);

}  // namespace tern::bgp
