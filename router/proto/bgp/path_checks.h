#pragma once

/// What is wrong with a received route as such: loops, first AS, role leaks; and the marks that
/// import adds. Runs once per UPDATE, on the attribute list that is about to be interned, after the
/// wire checks. Pure; the caller traces the reason and treats the message as a withdrawal.
/// Source: RFC 4271 section 6.3 and 9.1.2, RFC 4456 section 8, RFC 5065 section 5.2, RFC 9234
/// section 5.

#include "router/attr/attribute_list.h"
#include "router/proto/bgp/session_facts.h"
#include "router/proto/bgp/wire/update.h"

#include <cstdint>
#include <string_view>

namespace tern::bgp {

enum class PathVerdict : std::uint8_t {
    ok,
    own_as,             ///< more of our AS in AS_PATH than allowed
    own_confederation,  ///< our confederation identifier in AS_PATH
    own_originator,     ///< our router id as ORIGINATOR_ID
    own_cluster,        ///< our cluster id in CLUSTER_LIST
    wrong_first_as,
    role_leak,
};

[[nodiscard]] std::string_view verdict_text(PathVerdict verdict);

[[nodiscard]] PathVerdict check_path(const wire::DecodedUpdate& update,
                                     const SessionFacts& session);

/// Adds what import owes: OTC of the neighbour (RFC 9234 section 5 ingress rule 3) and the default
/// LOCAL_PREF where the session carries none. Only for unicast families.
void complete_import(const SessionFacts& session, attr::AttributeList& list);

/// The number of times `as` stands in a checked 4-octet path.
[[nodiscard]] unsigned count_as(Bytes path, AsNumber as);

}  // namespace tern::bgp
