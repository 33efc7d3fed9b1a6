#pragma once

/// UPDATE messages: from bytes to checked attributes and NLRI fields, in one pass.
/// The result borrows from the message; what has to be rewritten (2-octet paths, merged AS4_PATH)
/// stands in its own scratch buffer. A DecodedUpdate is reused from message to message and then
/// allocates nothing. Errors are collected and the strongest treatment is kept; `verdict` in
/// error_policy.h turns them into what to do.
/// Never looks at other routes, the clock or the log.
/// Source: RFC 4271 section 4.3 and 6.3, RFC 4760, RFC 7606, RFC 8950.

#include "router/base/bytes.h"
#include "router/proto/bgp/wire/attribute.h"
#include "router/proto/bgp/wire/family.h"
#include "router/proto/bgp/wire/nlri.h"
#include "router/proto/bgp/wire/notification.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace tern::bgp::wire {

/// One negotiated family of a session, as far as reading its NLRI needs.
struct FamilyRules {
    Family family = {};
    bool path_ids = false;           ///< we receive ADD-PATH
    bool extended_next_hop = false;  ///< RFC 8950, or IPv4-mapped for IPv6
};

struct UpdateRules {
    AttributeRules attributes = {};
    std::span<const FamilyRules> families = {};  ///< negotiated ones; others are ignored
};

/// A fault for counters and the log.
struct AttributeFault {
    std::uint8_t code = 0;  ///< of the attribute; 0 for the message as a whole
    Treatment treatment = Treatment::none;
    std::uint8_t subcode = 0;  ///< of an UPDATE error (3/x)
};

/// Announced prefixes of one family with their next hop in wire form: 4 octets, or 16, or 32 (then
/// the second is link-local).
struct Announcement {
    NlriField nlri = {};
    Bytes next_hop = {};

    [[nodiscard]] bool empty() const { return nlri.empty(); }
};

class DecodedUpdate {
  public:
    /// Attributes in ascending order of code, without NEXT_HOP, MP_*, AS4_*: as a set keeps them.
    /// AS_PATH and AGGREGATOR have 4-octet numbers.
    [[nodiscard]] std::span<const PathAttribute> attributes() const {
        return {list_.data(), count_};
    }

    [[nodiscard]] const PathAttribute* find(std::uint8_t attribute_code) const;

    NlriField withdrawn = {};     ///< IPv4 unicast
    NlriField mp_withdrawn = {};  ///< of MP_UNREACH_NLRI
    Announcement announced = {};  ///< IPv4 unicast with NEXT_HOP
    Announcement mp_announced = {};
    bool has_mp_reach = false;
    bool has_mp_unreach = false;
    bool end_of_rib = false;  ///< of `end_of_rib_family` (RFC 4724 section 2)
    Family end_of_rib_family = {};

    /// The strongest treatment met, and the faults that were (the first few).
    Treatment treatment = Treatment::none;

    std::span<const AttributeFault> faults() const { return {faults_.data(), fault_count_}; }

    /// Set with Treatment::reset.
    Notification error = {};

  private:
    friend class UpdateDecoder;

    std::array<PathAttribute, 256> list_;  // each code at most once
    std::array<AttributeFault, 8> faults_ = {};
    std::vector<std::uint8_t> scratch_ = {};
    std::size_t count_ = 0;
    std::size_t fault_count_ = 0;
};

/// `body` is the message without header. Fills `out`, whose former contents are forgotten.
void decode_update(Bytes body, const UpdateRules& rules, DecodedUpdate& out);

}  // namespace tern::bgp::wire
