#include "router/proto/bgp/attributes.h"

#include <array>
#include <iterator>
#include <string>

#include <fmt/format.h>

namespace tern::bgp {

namespace {

using attr::AttributeRef;
using attr::AttributeTraits;
using attr::ValueType;

void format_origin(std::string& out, const AttributeRef& attribute) {
    static constexpr std::array<std::string_view, 3> names{"IGP", "EGP", "Incomplete"};
    out += attribute.word < names.size() ? names[attribute.word] : std::string_view("?");
}

void format_next_hop(std::string& out, const AttributeRef& attribute) {
    const wire::NextHop hop = next_hop_of(attribute.bytes);
    out += hop.address.to_string();
    if (!hop.link_local.is_zero()) out += " " + hop.link_local.to_string();
}

void format_aggregator(std::string& out, const AttributeRef& attribute) {
    if (attribute.bytes.size() != 8) return;
    out += net::IpAddress::v4(load_u32(attribute.bytes.data() + 4)).to_string();
    fmt::format_to(std::back_inserter(out), " AS{}", load_u32(attribute.bytes.data()));
}

void format_cluster_list(std::string& out, const AttributeRef& attribute) {
    for (std::size_t i = 0; i + 4 <= attribute.bytes.size(); i += 4) {
        if (i != 0) out += ' ';
        out += net::IpAddress::v4(load_u32(attribute.bytes.data() + i)).to_string();
    }
}

void format_aigp(std::string& out, const AttributeRef& attribute) {
    const wire::Aigp aigp = wire::read_aigp(attribute.bytes);
    if (aigp.present) {
        fmt::format_to(std::back_inserter(out), "{}", aigp.metric);
    } else {
        out += '?';
    }
}

void format_octets(std::string& out, const AttributeRef& attribute) {
    bool first = true;
    for (std::uint8_t octet : attribute.bytes) {
        fmt::format_to(std::back_inserter(out), "{}{:02x}", first ? "" : " ", octet);
        first = false;
    }
}

void format_unknown(std::string& out, const AttributeRef& attribute) {
    if ((attribute.flags & wire::flag::transitive) != 0) out += "(transitive) ";
    format_octets(out, attribute);
}

void format_nothing(std::string&, const AttributeRef&) {}

struct Row {
    std::uint8_t code;
    std::string_view name;
    std::string_view legacy_name;
    ValueType type;
    AttributeTraits traits;
    attr::AttributeFormat format;
};

constexpr AttributeTraits plain = AttributeTraits::none;
constexpr AttributeTraits opaque = AttributeTraits::unknown_type;

constexpr std::array rows{
    Row{wire::code::origin, "bgp_origin", "BGP.origin", ValueType::enum_bgp_origin, plain,
        format_origin},
    Row{wire::code::as_path, "bgp_path", "BGP.as_path", ValueType::as_path, plain, nullptr},
    Row{wire::code::next_hop, "bgp_next_hop", "BGP.next_hop", ValueType::ip, plain,
        format_next_hop},
    Row{wire::code::med, "bgp_med", "BGP.med", ValueType::int_, plain, nullptr},
    Row{wire::code::local_pref, "bgp_local_pref", "BGP.local_pref", ValueType::int_, plain,
        nullptr},
    Row{wire::code::atomic_aggregate, "bgp_atomic_aggr", "BGP.atomic_aggr", ValueType::opaque,
        opaque, format_nothing},
    Row{wire::code::aggregator, "bgp_aggregator", "BGP.aggregator", ValueType::opaque, opaque,
        format_aggregator},
    Row{wire::code::community, "bgp_community", "BGP.community", ValueType::community_list, plain,
        nullptr},
    Row{wire::code::originator_id, "bgp_originator_id", "BGP.originator_id", ValueType::quad, plain,
        nullptr},
    Row{wire::code::cluster_list, "bgp_cluster_list", "BGP.cluster_list", ValueType::community_list,
        plain, format_cluster_list},
    Row{wire::code::ext_community, "bgp_ext_community", "BGP.ext_community",
        ValueType::extended_list, plain, nullptr},
    Row{wire::code::pmsi_tunnel, "bgp_pmsi_tunnel", "BGP.pmsi_tunnel", ValueType::opaque, opaque,
        format_octets},
    Row{wire::code::aigp, "bgp_aigp", "BGP.aigp", ValueType::opaque, opaque, format_aigp},
    Row{wire::code::large_community, "bgp_large_community", "BGP.large_community",
        ValueType::large_list, plain, nullptr},
    Row{wire::code::otc, "bgp_otc", "BGP.otc", ValueType::int_, plain, nullptr},
};

const Row* find_row(std::uint8_t code) {
    for (const Row& row : rows) {
        if (row.code == code) return &row;
    }
    return nullptr;
}

}  // namespace

void define_attributes(attr::AttributeRegistry& registry) {
    for (unsigned code = 0; code < 256; ++code) {
        const std::uint8_t octet = static_cast<std::uint8_t>(code);
        if (const Row* row = find_row(octet)) {
            registry.add({attribute_id(octet), row->name, row->legacy_name, row->type, row->traits,
                          row->format});
            continue;
        }
        if (wire::find_attribute(octet) != nullptr) continue;  // never kept in a set
        const std::string name = fmt::format("bgp_unknown_0x{:02x}", code);
        registry.add({attribute_id(octet), name, {}, ValueType::bytestring, plain, format_unknown});
    }
}

attr::ValueType attribute_type(std::uint8_t code) {
    const Row* row = find_row(code);
    return row != nullptr ? row->type : ValueType::bytestring;
}

void fill_attributes(const wire::DecodedUpdate& update, Bytes next_hop, attr::AttributeList& list) {
    for (const wire::PathAttribute& attribute : update.attributes()) {
        const ValueType type = attribute_type(attribute.code);
        AttributeRef ref{attribute_id(attribute.code), type, attribute.flags, 0, {}};
        if (!attr::is_word(type)) {
            ref.bytes = attribute.payload;
        } else if (attribute.payload.size() == 4) {
            ref.word = load_u32(attribute.payload.data());
        } else {
            ref.word = attribute.payload[0];  // ORIGIN
        }
        list.set(ref);
    }
    if (next_hop.empty()) return;
    const wire::NextHop hop = wire::read_next_hop(next_hop);
    if (hop.link_local.is_zero()) {
        list.set_ip(id::next_hop, hop.address);
        return;
    }
    std::array<std::uint8_t, 32> octets{};
    hop.address.store16(octets.data());
    hop.link_local.store16(octets.data() + 16);
    list.set_bytes(id::next_hop, ValueType::ip, octets);
}

wire::NextHop next_hop_of(Bytes payload) {
    wire::NextHop out;
    out.address = attr::stored_ip(payload);
    if (payload.size() == 32) out.link_local = net::IpAddress::from_bytes(payload.subspan(16));
    return out;
}

}  // namespace tern::bgp
