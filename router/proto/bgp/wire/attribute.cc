#include "router/proto/bgp/wire/attribute.h"

#include "router/proto/bgp/wire/attr_as_path.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace tern::bgp::wire {

namespace {

constexpr std::uint8_t well_known = flag::transitive;
constexpr std::uint8_t transitive = flag::optional | flag::transitive;
constexpr std::uint8_t non_transitive = flag::optional;
constexpr std::size_t large_length = 12;

bool check_origin(Bytes payload, const AttributeRules&) {
    return payload[0] <= 2;
}

bool check_path(Bytes payload, const AttributeRules& rules) {
    const PathRules path{rules.as4 ? AsWidth::four : AsWidth::two, rules.confederation,
                         rules.accept_as_sets};
    return check_as_path(payload, path) == PathFault::none;
}

// RFC 6793 section 6: confederation segments in AS4_PATH make it malformed.
bool check_as4_path(Bytes payload, const AttributeRules& rules) {
    return check_as_path(payload, {AsWidth::four, false, rules.accept_as_sets}) == PathFault::none;
}

// RFC 4271 section 6.3: a NEXT_HOP must be a host address: not zero, 127/8, multicast or class E.
bool check_next_hop(Bytes payload, const AttributeRules&) {
    return payload[0] != 0 && payload[0] != 127 && payload[0] < 224;
}

bool check_aggregator(Bytes payload, const AttributeRules& rules) {
    // RFC 7606 section 7.7: the length depends on the width of AS numbers.
    if (payload.size() != (rules.as4 ? 8U : 6U)) return false;
    const std::uint32_t as = rules.as4 ? load_u32(payload.data()) : load_u16(payload.data());
    return as != 0;  // RFC 7607 section 2
}

bool check_as4_aggregator(Bytes payload, const AttributeRules&) {
    return load_u32(payload.data()) != 0;
}

bool check_aigp(Bytes payload, const AttributeRules&) {
    return read_aigp(payload).valid;
}

using enum LengthRule;
using enum Treatment;

constexpr std::array rows{
    AttributeRow{code::origin, well_known, exact, 1, treat_as_withdraw, "origin", check_origin},
    AttributeRow{code::as_path, well_known, least, 0, treat_as_withdraw, "path", check_path},
    AttributeRow{code::next_hop, well_known, exact, 4, treat_as_withdraw, "next_hop",
                 check_next_hop},
    AttributeRow{code::med, non_transitive, exact, 4, treat_as_withdraw, "med", nullptr},
    AttributeRow{code::local_pref, well_known, exact, 4, treat_as_withdraw, "local_pref", nullptr},
    AttributeRow{code::atomic_aggregate, well_known, exact, 0, discard_attribute, "atomic_aggr",
                 nullptr},
    AttributeRow{code::aggregator, transitive, least, 6, discard_attribute, "aggregator",
                 check_aggregator},
    AttributeRow{code::community, transitive, multiple, 4, treat_as_withdraw, "community", nullptr},
    AttributeRow{code::originator_id, non_transitive, exact, 4, treat_as_withdraw, "originator_id",
                 nullptr},
    AttributeRow{code::cluster_list, non_transitive, multiple, 4, treat_as_withdraw, "cluster_list",
                 nullptr},
    AttributeRow{code::mp_reach, non_transitive, least, 5, reset, "mp_reach_nlri", nullptr},
    AttributeRow{code::mp_unreach, non_transitive, least, 3, reset, "mp_unreach_nlri", nullptr},
    AttributeRow{code::ext_community, transitive, multiple, 8, treat_as_withdraw, "ext_community",
                 nullptr},
    AttributeRow{code::as4_path, transitive, least, 0, discard_attribute, "as4_path",
                 check_as4_path},
    AttributeRow{code::as4_aggregator, transitive, exact, 8, discard_attribute, "as4_aggregator",
                 check_as4_aggregator},
    AttributeRow{code::pmsi_tunnel, transitive, least, 5, treat_as_withdraw, "pmsi_tunnel",
                 nullptr},
    AttributeRow{code::aigp, non_transitive, least, 3, discard_attribute, "aigp", check_aigp},
    AttributeRow{code::large_community, transitive, multiple, large_length, treat_as_withdraw,
                 "large_community", nullptr},
    AttributeRow{code::otc, transitive, exact, 4, treat_as_withdraw, "otc", nullptr},
};

/// Index + 1 into `rows` for each code; 0 means unknown.
constexpr std::array<std::uint8_t, 256> make_index() {
    std::array<std::uint8_t, 256> index{};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        index[rows[i].code] = static_cast<std::uint8_t>(i + 1);
    }
    return index;
}

constexpr std::array<std::uint8_t, 256> row_index = make_index();

}  // namespace

const AttributeRow* find_attribute(std::uint8_t code) {
    const std::uint8_t at = row_index[code];
    return at == 0 ? nullptr : &rows[at - 1U];
}

bool length_fits(const AttributeRow& row, std::size_t length) {
    switch (row.rule) {
        case exact:
            return length == row.length;
        case multiple:
            return length != 0 && length % row.length == 0;
        case least:
            return length >= row.length;
    }
    return false;
}

void put_attribute(std::vector<std::uint8_t>& out, const PathAttribute& attribute) {
    const std::size_t length = attribute.payload.size();
    const bool extended = length > 0xff;
    out.push_back(static_cast<std::uint8_t>((attribute.flags & ~flag::extended) |
                                            (extended ? flag::extended : 0)));
    out.push_back(attribute.code);
    if (extended) out.push_back(static_cast<std::uint8_t>(length >> 8));
    out.push_back(static_cast<std::uint8_t>(length));
    out.insert(out.end(), attribute.payload.begin(), attribute.payload.end());
}

Aigp read_aigp(Bytes payload) {
    constexpr std::uint8_t aigp_tlv = 1;
    constexpr std::size_t header = 3;
    constexpr std::size_t aigp_length = header + 8;
    Aigp out;
    while (!payload.empty()) {
        if (payload.size() < header) return {};
        const std::size_t length = load_u16(&payload[1]);
        if (length < header || length > payload.size()) return {};
        if (payload[0] == aigp_tlv) {
            if (length != aigp_length) return {};
            // RFC 7311 section 3: only the first AIGP TLV counts.
            if (!out.present) out.metric = load_u64(&payload[header]);
            out.present = true;
        }
        payload = payload.subspan(length);
    }
    out.valid = true;
    return out;
}

bool has_repeated_large_community(Bytes payload) {
    // Lists are short, and a sorted list (the usual form) is settled by neighbours alone.
    bool ascending = true;
    for (std::size_t i = large_length; i < payload.size() && ascending; i += large_length) {
        ascending = std::memcmp(&payload[i - large_length], &payload[i], large_length) < 0;
    }
    if (ascending) return false;
    std::vector<const std::uint8_t*> values;
    values.reserve(payload.size() / large_length);
    for (std::size_t i = 0; i < payload.size(); i += large_length)
        values.push_back(&payload[i]);
    std::sort(values.begin(), values.end(), [](const std::uint8_t* a, const std::uint8_t* b) {
        return std::memcmp(a, b, large_length) < 0;
    });
    return std::adjacent_find(values.begin(), values.end(),
                              [](const std::uint8_t* a, const std::uint8_t* b) {
                                  return std::memcmp(a, b, large_length) == 0;
                              }) != values.end();
}

void unique_large_communities(Bytes payload, std::vector<std::uint8_t>& out) {
    // Order of first appearance is kept; sorting an index keeps a hostile list from being
    // quadratic.
    std::vector<const std::uint8_t*> values;
    values.reserve(payload.size() / large_length);
    for (std::size_t i = 0; i < payload.size(); i += large_length)
        values.push_back(&payload[i]);
    std::sort(values.begin(), values.end(), [](const std::uint8_t* a, const std::uint8_t* b) {
        const int order = std::memcmp(a, b, large_length);
        return order != 0 ? order < 0 : a < b;
    });
    const auto end =
        std::unique(values.begin(), values.end(), [](const std::uint8_t* a, const std::uint8_t* b) {
            return std::memcmp(a, b, large_length) == 0;
        });
    values.erase(end, values.end());
    std::sort(values.begin(), values.end());
    for (const std::uint8_t* value : values)
        out.insert(out.end(), value, value + large_length);
}

}  // namespace tern::bgp::wire
