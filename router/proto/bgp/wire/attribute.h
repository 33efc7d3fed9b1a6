#pragma once

/// Path attributes: THE table of what each code must look like, and what happens if it does not.
/// One row per code gives flags, length rule, RFC 7606 treatment and the check of its value; the
/// decoder walks an UPDATE's attributes by it, the encoder takes the flags from it. Payloads stay
/// in wire form, which is also the form attribute sets keep, so nearly all are passed by reference.
/// Pure; scratch memory for the rewritten ones belongs to the caller's DecodedUpdate.
/// Source: RFC 4271 section 4.3 and 5, RFC 7606.

#include "router/base/bytes.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace tern::bgp::wire {

namespace code {
inline constexpr std::uint8_t origin = 1, as_path = 2, next_hop = 3, med = 4, local_pref = 5,
                              atomic_aggregate = 6, aggregator = 7, community = 8,
                              originator_id = 9, cluster_list = 10, mp_reach = 14, mp_unreach = 15,
                              ext_community = 16, as4_path = 17, as4_aggregator = 18,
                              pmsi_tunnel = 22, aigp = 26, large_community = 32, otc = 35;
}

namespace flag {
inline constexpr std::uint8_t optional = 0x80, transitive = 0x40, partial = 0x20, extended = 0x10;
}

/// What a fault does, weakest first; the strongest of a message wins (RFC 7606 section 3 h). Where
/// the RFC leaves AFI/SAFI disable or session reset, reset is used.
enum class Treatment : std::uint8_t { none, discard_attribute, treat_as_withdraw, reset };

/// One attribute in wire form. `flags` has no extended-length bit.
struct PathAttribute {
    std::uint8_t code = 0;
    std::uint8_t flags = 0;
    Bytes payload = {};
};

/// Facts of a session that decide how its attributes are read.
struct AttributeRules {
    bool as4 = true;                 ///< both sides announced 4-octet AS numbers
    bool interior = false;           ///< IBGP, or a member of our confederation
    bool confederation = false;      ///< the neighbour is in our confederation
    bool accept_local_pref = false;  ///< `allow bgp_local_pref` on an external session
    bool accept_as_sets = false;     ///< `allow as sets`
    bool accept_aigp = false;        ///< `aigp` of the channel
};

enum class LengthRule : std::uint8_t {
    exact,     ///< `length`
    multiple,  ///< a multiple of `length`, not zero
    least,     ///< at least `length`
};

struct AttributeRow {
    std::uint8_t code;
    std::uint8_t flags;  ///< optional and transitive bits as specified
    LengthRule rule;
    std::uint8_t length;
    Treatment treatment;  ///< of a wrong length or value
    std::string_view name;
    /// Of the value, after the length rule; null when any value will do.
    bool (*check)(Bytes payload, const AttributeRules& rules);
};

/// The row of a code, or null: the attribute is unknown.
[[nodiscard]] const AttributeRow* find_attribute(std::uint8_t code);

[[nodiscard]] bool length_fits(const AttributeRow& row, std::size_t length);

/// Appends an attribute with header; `extended` length is used when needed only.
void put_attribute(std::vector<std::uint8_t>& out, const PathAttribute& attribute);

/// Octets `put_attribute` appends.
[[nodiscard]] constexpr std::size_t attribute_length(std::size_t payload) {
    return payload + (payload > 0xff ? 4 : 3);
}

/// RFC 7311 section 3: the metric of the first AIGP TLV, if the list is well-formed and has one.
struct Aigp {
    bool valid = false;    ///< the TLV list is well-formed
    bool present = false;  ///< and has an AIGP TLV
    std::uint64_t metric = 0;
};

[[nodiscard]] Aigp read_aigp(Bytes payload);

/// RFC 8092 section 5: whether a large community list has a value twice.
[[nodiscard]] bool has_repeated_large_community(Bytes payload);

/// Appends the list with the first one of each value.
void unique_large_communities(Bytes payload, std::vector<std::uint8_t>& out);

}  // namespace tern::bgp::wire
