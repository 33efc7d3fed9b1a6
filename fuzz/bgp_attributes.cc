/// The body of an UPDATE, whose attributes are the larger part of the input.
/// Decoded attributes must be well-formed: they are encoded and decoded again to the same.

#include "fuzz/fuzz_target.h"
#include "locking/check.h"
#include "router/proto/bgp/wire/attr_as_path.h"
#include "router/proto/bgp/wire/update.h"

#include <array>
#include <vector>

namespace {

using namespace tern::bgp::wire;

constexpr std::array families{FamilyRules{ipv4_unicast, false, true},
                              FamilyRules{ipv6_unicast, false, true}};

std::vector<std::uint8_t> encode(const DecodedUpdate& update) {
    std::vector<std::uint8_t> attributes;
    for (const PathAttribute& attribute : update.attributes())
        put_attribute(attributes, attribute);
    if (!update.announced.next_hop.empty()) {
        put_attribute(attributes, {code::next_hop, flag::transitive, update.announced.next_hop});
    }
    std::vector<std::uint8_t> out{0, 0, static_cast<std::uint8_t>(attributes.size() >> 8),
                                  static_cast<std::uint8_t>(attributes.size())};
    out.insert(out.end(), attributes.begin(), attributes.end());
    const tern::Bytes prefixes = update.announced.nlri.bytes;
    out.insert(out.end(), prefixes.begin(), prefixes.end());
    return out;
}

}  // namespace

TERN_FUZZ(bgp_attributes, data, size) {
    if (size < 1) return;
    UpdateRules rules{{}, families};
    rules.attributes.as4 = (data[0] & 2) == 0;
    rules.attributes.interior = (data[0] & 4) != 0;
    rules.attributes.accept_as_sets = (data[0] & 8) != 0;
    rules.attributes.accept_aigp = (data[0] & 16) != 0;
    DecodedUpdate update;
    decode_update({data + 1, size - 1}, rules, update);
    if (update.treatment >= Treatment::treat_as_withdraw || update.announced.empty()) return;
    const std::vector<std::uint8_t> again = encode(update);
    if (again.size() > 0xffff) return;
    rules.attributes.as4 = true;
    DecodedUpdate second;
    decode_update(again, rules, second);
    TERN_ASSERT(second.treatment == Treatment::none);
    TERN_ASSERT(second.attributes().size() == update.attributes().size());
    for (std::size_t i = 0; i < second.attributes().size(); ++i) {
        TERN_ASSERT(
            tern::same_bytes(second.attributes()[i].payload, update.attributes()[i].payload));
    }
}
