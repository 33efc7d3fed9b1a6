#include "router/attr/next_hop.h"

#include "locking/check.h"

#include <algorithm>

namespace tern::attr {

namespace {

// One next hop: flags, then of these what the flags name: gateway 4 or 16, interface 4, weight - 1,
// label count and labels 4 each.
enum Part : std::uint8_t {
    part_onlink = 1,
    part_v4 = 2,
    part_v6 = 4,
    part_interface = 8,
    part_weight = 16,
    part_labels = 32,
};

std::uint8_t parts_of(const NextHop& hop) {
    unsigned parts = 0;
    if (hop.onlink) parts |= part_onlink;
    if (hop.gateway.is_v4()) parts |= part_v4;
    if (hop.gateway.is_v6() && !hop.gateway.is_zero()) parts |= part_v6;
    if (hop.interface.value() != 0) parts |= part_interface;
    if (hop.weight != 1) parts |= part_weight;
    if (hop.labels.count != 0) parts |= part_labels;
    return static_cast<std::uint8_t>(parts);
}

void append_u32(std::vector<std::uint8_t>& out, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) {
        out.push_back(static_cast<std::uint8_t>(value >> shift));
    }
}

void append_address(std::vector<std::uint8_t>& out, net::IpAddress address) {
    const auto bytes = address.to_bytes16();
    out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_labels(std::vector<std::uint8_t>& out, const LabelStack& stack) {
    out.push_back(stack.count);
    for (unsigned i = 0; i < stack.count; ++i)
        append_u32(out, stack.labels[i]);
}

bool same_way(const NextHop& a, const NextHop& b) {
    return a.gateway == b.gateway && a.interface == b.interface && a.labels == b.labels;
}

}  // namespace

std::string_view destination_name(Destination destination) {
    switch (destination) {
        case Destination::unicast:
            return "unicast";
        case Destination::blackhole:
            return "blackhole";
        case Destination::unreachable:
            return "unreachable";
        case Destination::prohibit:
            return "prohibited";
    }
    return {};
}

bool next_hop_before(const NextHop& a, const NextHop& b) {
    if (a.weight != b.weight) return a.weight > b.weight;
    if (a.gateway != b.gateway) return a.gateway < b.gateway;
    if (a.labels.count != b.labels.count) return a.labels.count > b.labels.count;
    if (a.labels != b.labels) return a.labels.labels > b.labels.labels;
    return a.interface < b.interface;
}

NextHop NextHopListView::decode(std::size_t& offset) const {
    Reader reader(encoded_.subspan(offset));
    NextHop hop;
    const std::uint8_t parts = reader.u8();
    hop.onlink = (parts & part_onlink) != 0;
    if ((parts & part_v4) != 0) hop.gateway = net::IpAddress::v4(reader.u32());
    if ((parts & part_v6) != 0) hop.gateway = net::IpAddress::from_bytes(reader.take(16));
    if ((parts & part_interface) != 0) hop.interface = InterfaceId(reader.u32());
    if ((parts & part_weight) != 0) hop.weight = static_cast<std::uint16_t>(reader.u8() + 1);
    if ((parts & part_labels) != 0) hop.labels.count = reader.u8();
    for (unsigned i = 0; i < hop.labels.count; ++i)
        hop.labels.labels[i] = reader.u32();
    offset = encoded_.size() - reader.remaining();
    return hop;
}

bool NextHopListView::canonical() const {
    bool first = true;
    bool good = true;
    NextHop previous;
    for_each([&](const NextHop& hop) {
        if (!first && !next_hop_before(previous, hop)) good = false;
        previous = hop;
        first = false;
    });
    return good;
}

std::vector<NextHop> NextHopListView::to_vector() const {
    std::vector<NextHop> hops;
    hops.reserve(count());
    for_each([&hops](const NextHop& hop) { hops.push_back(hop); });
    return hops;
}

Bytes NextHopListBuilder::destination(Destination destination) & {
    bytes_ = {static_cast<std::uint8_t>(destination), 0, 0};
    return bytes_;
}

Bytes NextHopListBuilder::single(const NextHop& hop) & {
    bytes_ = {static_cast<std::uint8_t>(Destination::unicast), 1, 0};
    encode(hop);
    return bytes_;
}

Bytes NextHopListBuilder::multipath(std::vector<NextHop> hops, unsigned max) & {
    TERN_ASSERT(!hops.empty() && max > 0, "a unicast destination needs a next hop");
    std::sort(hops.begin(), hops.end(), next_hop_before);  // of twins the heavier one is first
    std::vector<NextHop> kept;
    for (const NextHop& hop : hops) {
        const auto twin = [&hop](const NextHop& other) { return same_way(hop, other); };
        if (kept.size() < max && std::none_of(kept.begin(), kept.end(), twin)) kept.push_back(hop);
    }
    bytes_ = {static_cast<std::uint8_t>(Destination::unicast),
              static_cast<std::uint8_t>(kept.size()), static_cast<std::uint8_t>(kept.size() >> 8)};
    for (const NextHop& hop : kept)
        encode(hop);
    return bytes_;
}

void NextHopListBuilder::encode(const NextHop& hop) {
    TERN_ASSERT(hop.weight >= 1 && hop.weight <= limits::next_hop_weight);
    const std::uint8_t parts = parts_of(hop);
    bytes_.push_back(parts);
    if ((parts & part_v4) != 0) append_u32(bytes_, hop.gateway.v4_value());
    if ((parts & part_v6) != 0) append_address(bytes_, hop.gateway);
    if ((parts & part_interface) != 0) append_u32(bytes_, hop.interface.value());
    if ((parts & part_weight) != 0) bytes_.push_back(static_cast<std::uint8_t>(hop.weight - 1));
    if ((parts & part_labels) != 0) append_labels(bytes_, hop.labels);
}

std::optional<RecursiveNextHop> RecursiveNextHop::decode(Bytes encoded) {
    Reader reader(encoded);
    RecursiveNextHop hop;
    const Bytes host = reader.take(16);
    const Bytes link_local = reader.take(16);
    hop.table = reader.u32();
    hop.labels.count = reader.u8();
    if (!reader.ok() || hop.labels.count > limits::mpls_label_stack) return std::nullopt;
    for (unsigned i = 0; i < hop.labels.count; ++i)
        hop.labels.labels[i] = reader.u32();
    if (!reader.complete()) return std::nullopt;
    hop.host = net::IpAddress::from_bytes(host);
    hop.link_local = net::IpAddress::from_bytes(link_local);
    return hop;
}

void RecursiveNextHop::encode(std::vector<std::uint8_t>& out) const {
    append_address(out, host);
    append_address(out, link_local);
    append_u32(out, table);
    append_labels(out, labels);
}

}  // namespace tern::attr
