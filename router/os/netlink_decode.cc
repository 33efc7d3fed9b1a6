#include "router/os/netlink_codec.h"

#include <cstring>
#include <optional>

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/lwtunnel.h>
#include <linux/mpls.h>
#include <linux/mpls_iptunnel.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace tern::os::netlink {
namespace {

/// Walks attributes; ends at the first one that does not fit.
class Attributes {
  public:
    explicit Attributes(Bytes bytes) : rest_(bytes) {}

    bool next() {
        if (rest_.size() < sizeof(nlattr)) return false;
        std::memcpy(&current_, rest_.data(), sizeof current_);
        if (current_.nla_len < sizeof(nlattr) || current_.nla_len > rest_.size()) return false;
        payload_ = rest_.subspan(sizeof(nlattr), current_.nla_len - sizeof(nlattr));
        const std::size_t whole = MNL_ALIGN(current_.nla_len);
        rest_ = rest_.subspan(whole < rest_.size() ? whole : rest_.size());
        return true;
    }

    [[nodiscard]] unsigned type() const { return current_.nla_type & 0x3fffU; }

    [[nodiscard]] Bytes payload() const { return payload_; }

    /// Host byte order; 0 if the attribute is too short.
    [[nodiscard]] std::uint32_t u32() const {
        std::uint32_t value = 0;
        if (payload_.size() >= sizeof value) std::memcpy(&value, payload_.data(), sizeof value);
        return value;
    }

    [[nodiscard]] std::uint16_t u16() const {
        std::uint16_t value = 0;
        if (payload_.size() >= sizeof value) std::memcpy(&value, payload_.data(), sizeof value);
        return value;
    }

    /// Without a final zero.
    [[nodiscard]] std::string_view text() const {
        const std::string_view all = as_text(payload_);
        return all.substr(0, all.find('\0'));
    }

  private:
    Bytes rest_;
    nlattr current_ = {};
    Bytes payload_;
};

/// The fixed part behind the header and the attributes behind that.
template <class Fixed>
struct Body {
    Fixed fixed = {};
    Bytes attributes;
};

template <class Fixed>
std::optional<Body<Fixed>> body_of(Bytes message) {
    constexpr std::size_t fixed_at = NLMSG_HDRLEN;
    if (message.size() < fixed_at + sizeof(Fixed)) return std::nullopt;
    Body<Fixed> body;
    std::memcpy(&body.fixed, message.data() + fixed_at, sizeof(Fixed));
    const std::size_t attributes_at = fixed_at + MNL_ALIGN(sizeof(Fixed));
    if (attributes_at < message.size()) body.attributes = message.subspan(attributes_at);
    return body;
}

std::optional<net::IpAddress> ip_of(unsigned family, Bytes bytes) {
    if (family == AF_INET && bytes.size() == 4) return net::IpAddress::from_bytes(bytes);
    if (family == AF_INET6 && bytes.size() == 16) return net::IpAddress::from_bytes(bytes);
    return std::nullopt;
}

bool is_ip(unsigned family) {
    return family == AF_INET || family == AF_INET6;
}

unsigned bits_of(unsigned family) {
    return family == AF_INET ? 32 : 128;
}

net::IpAddress zero_of(unsigned family) {
    return family == AF_INET ? net::IpAddress::v4(0) : net::IpAddress();
}

net::Prefix prefix_of(unsigned family, net::IpAddress address, unsigned length) {
    if (family == AF_INET) return net::Prefix::ip4(address.v4_value(), length);
    return net::Prefix::ip6(address.high(), address.low(), length);
}

std::optional<LabelStack> labels_of(Bytes bytes) {
    if (bytes.size() % 4 != 0 || bytes.size() / 4 > labels_max) return std::nullopt;
    LabelStack stack;
    for (std::size_t at = 0; at < bytes.size(); at += 4) {
        stack.labels[stack.count++] = load_u32(bytes.data() + at) >> MPLS_LS_LABEL_SHIFT;
    }
    return stack;
}

/// The attributes that describe one next hop, wherever they stand.
class NextHopReader {
  public:
    explicit NextHopReader(unsigned route_family) : family_(route_family) {}

    /// False if the attribute is not one of a next hop.
    bool read(const Attributes& attribute, NextHop& hop) {
        switch (attribute.type()) {
            case RTA_OIF:
                hop.interface = attribute.u32();
                return true;
            case RTA_GATEWAY:
                gateway(family_, attribute.payload(), hop);
                return true;
            case RTA_VIA:
                via(attribute.payload(), hop);
                return true;
            case RTA_FLOW:
                hop.realm = attribute.u32();
                return true;
            case RTA_ENCAP_TYPE:
                encapsulation_type_ = attribute.u16();
                return true;
            case RTA_ENCAP:
                encapsulation_ = attribute.payload();
                return true;
            case RTA_NEWDST:
                if (family_ == AF_MPLS) labels(attribute.payload(), hop);
                return true;
            default:
                return false;
        }
    }

    /// Called after the last attribute of the hop.
    void finish(NextHop& hop) {
        if (encapsulation_type_ == LWTUNNEL_ENCAP_MPLS) {
            Attributes inner(encapsulation_);
            while (inner.next()) {
                if (inner.type() == MPLS_IPTUNNEL_DST) labels(inner.payload(), hop);
            }
        } else if (encapsulation_type_ != LWTUNNEL_ENCAP_NONE) {
            unknown_encapsulation = true;
        }
        encapsulation_type_ = LWTUNNEL_ENCAP_NONE;
        encapsulation_ = {};
    }

    bool bad = false;
    bool unknown_encapsulation = false;

  private:
    void gateway(unsigned family, Bytes bytes, NextHop& hop) {
        if (const auto address = ip_of(family, bytes)) {
            hop.gateway = *address;
        } else {
            bad = true;
        }
    }

    void via(Bytes bytes, NextHop& hop) {
        if (bytes.size() < sizeof(std::uint16_t)) {
            bad = true;
            return;
        }
        std::uint16_t family = 0;
        std::memcpy(&family, bytes.data(), sizeof family);
        gateway(family, bytes.subspan(sizeof family), hop);
    }

    void labels(Bytes bytes, NextHop& hop) {
        if (const auto stack = labels_of(bytes)) {
            hop.labels = *stack;
        } else {
            bad = true;
        }
    }

    unsigned family_;
    unsigned encapsulation_type_ = LWTUNNEL_ENCAP_NONE;
    Bytes encapsulation_;
};

bool read_metrics(Bytes bytes, RouteMetrics& metrics) {
    Attributes inner(bytes);
    while (inner.next()) {
        const unsigned type = inner.type();
        if (type == 0 || type >= RouteMetrics::slots) continue;
        if (type == RouteMetrics::congestion_control) {
            metrics.present |= 1U << type;
            metrics.congestion = inner.text();
            continue;
        }
        if (inner.payload().size() != 4) return false;
        metrics.set(type, inner.u32());
    }
    return true;
}

/// A next hop names at least one of interface, gateway and labels; a drop has none of them.
bool leads_somewhere(const NextHop& hop) {
    return hop.interface != 0 || !hop.gateway.is_zero() || hop.labels.count != 0;
}

bool read_multipath(Bytes bytes, NextHopReader& reader, std::vector<NextHop>& hops) {
    while (bytes.size() >= sizeof(rtnexthop)) {
        rtnexthop fixed = {};
        std::memcpy(&fixed, bytes.data(), sizeof fixed);
        if (fixed.rtnh_len < sizeof fixed || fixed.rtnh_len > bytes.size()) return false;
        NextHop hop;
        hop.interface = static_cast<std::uint32_t>(fixed.rtnh_ifindex);
        hop.weight = static_cast<std::uint16_t>(fixed.rtnh_hops + 1);
        hop.onlink = (fixed.rtnh_flags & RTNH_F_ONLINK) != 0;
        hop.dead = (fixed.rtnh_flags & RTNH_F_DEAD) != 0;
        Attributes attributes(bytes.subspan(sizeof fixed, fixed.rtnh_len - sizeof fixed));
        while (attributes.next())
            reader.read(attributes, hop);
        reader.finish(hop);
        if (!leads_somewhere(hop)) return false;
        hops.push_back(hop);
        const std::size_t whole = MNL_ALIGN(fixed.rtnh_len);
        bytes = bytes.subspan(whole < bytes.size() ? whole : bytes.size());
    }
    return bytes.empty();
}

struct RouteParts {
    NextHop hop;  // of a route without RTA_MULTIPATH
    Bytes multipath;
    Bytes destination;
    Bytes source;
    Bytes metrics;
    Bytes preferred_source;
};

void read_route_attributes(Bytes bytes,
                           NextHopReader& reader,
                           RouteMessage& into,
                           RouteParts& parts) {
    Attributes attributes(bytes);
    while (attributes.next()) {
        switch (attributes.type()) {
            case RTA_DST:
                parts.destination = attributes.payload();
                break;
            case RTA_SRC:
                parts.source = attributes.payload();
                break;
            case RTA_IIF:
                into.has_input_interface = true;
                break;
            case RTA_PRIORITY:
                into.priority = attributes.u32();
                into.has_priority = true;
                break;
            case RTA_PREFSRC:
                parts.preferred_source = attributes.payload();
                break;
            case RTA_METRICS:
                parts.metrics = attributes.payload();
                break;
            case RTA_MULTIPATH:
                parts.multipath = attributes.payload();
                break;
            case RTA_TABLE:
                into.table = attributes.u32();
                break;
            case RTA_NH_ID:
                into.next_hop_object = attributes.u32();
                break;
            default:
                reader.read(attributes, parts.hop);
                break;
        }
    }
}

Result<void, DecodeProblem> read_destination(const rtmsg& fixed,
                                             const RouteParts& parts,
                                             RouteMessage& into) {
    if (fixed.rtm_family == AF_MPLS) {
        const auto stack = labels_of(parts.destination);
        if (!stack || stack->count != 1 || fixed.rtm_dst_len != 20) {
            return fail_with(DecodeProblem::bad_length);
        }
        into.mpls_label = stack->labels[0];
        return {};
    }
    const unsigned bits = bits_of(fixed.rtm_family);
    if (fixed.rtm_dst_len > bits || fixed.rtm_src_len > bits) {
        return fail_with(DecodeProblem::bad_length);
    }
    const auto address = parts.destination.empty() ? zero_of(fixed.rtm_family)
                                                   : ip_of(fixed.rtm_family, parts.destination);
    if (!address || (parts.destination.empty() && fixed.rtm_dst_len != 0)) {
        return fail_with(DecodeProblem::bad_length);
    }
    into.destination = prefix_of(fixed.rtm_family, *address, fixed.rtm_dst_len);
    if (!parts.source.empty()) {
        const auto source = ip_of(fixed.rtm_family, parts.source);
        if (!source) return fail_with(DecodeProblem::bad_length);
        into.has_source = true;
        into.source = prefix_of(fixed.rtm_family, *source, fixed.rtm_src_len);
    }
    return {};
}

}  // namespace

std::string_view describe(DecodeProblem problem) {
    switch (problem) {
        case DecodeProblem::truncated:
            return "truncated message";
        case DecodeProblem::other_type:
            return "unexpected message type";
        case DecodeProblem::bad_family:
            return "unexpected address family";
        case DecodeProblem::bad_length:
            return "strange address or prefix length";
        case DecodeProblem::bad_next_hop:
            return "strange next hop";
        case DecodeProblem::bad_metrics:
            return "strange RTA_METRICS attribute";
    }
    return "";
}

void RouteMessage::clear() {
    std::vector<NextHop> memory = std::move(next_hops);
    memory.clear();
    *this = RouteMessage();
    next_hops = std::move(memory);
}

Bytes next_message(Bytes& datagram) {
    nlmsghdr header = {};
    if (datagram.size() < sizeof header) return {};
    std::memcpy(&header, datagram.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size()) {
        datagram = {};
        return {};
    }
    const Bytes message = datagram.first(header.nlmsg_len);
    const std::size_t whole = MNL_ALIGN(header.nlmsg_len);
    datagram = datagram.subspan(whole < datagram.size() ? whole : datagram.size());
    return message;
}

Header header_of(Bytes message) {
    nlmsghdr header = {};
    if (message.size() < sizeof header) return {};
    std::memcpy(&header, message.data(), sizeof header);
    return {header.nlmsg_type, header.nlmsg_flags, header.nlmsg_seq, header.nlmsg_pid};
}

Result<ErrorMessage, DecodeProblem> decode_error(Bytes message) {
    const Header header = header_of(message);
    if (header.type != NLMSG_ERROR) return fail_with(DecodeProblem::other_type);
    const auto body = body_of<nlmsgerr>(message);
    if (!body) return fail_with(DecodeProblem::truncated);
    // INT32_MIN has no positive twin; the kernel never sends it.
    if (body->fixed.error == INT32_MIN) return fail_with(DecodeProblem::truncated);
    ErrorMessage error;
    error.number = body->fixed.error > 0 ? body->fixed.error : -body->fixed.error;
    error.sequence = body->fixed.msg.nlmsg_seq;
    if ((header.flags & NLM_F_ACK_TLVS) == 0) return error;
    std::size_t at = 0;  // behind the copy of our request
    if ((header.flags & NLM_F_CAPPED) == 0) {
        at = MNL_ALIGN(body->fixed.msg.nlmsg_len) - MNL_ALIGN(sizeof(nlmsghdr));
    }
    if (at > body->attributes.size()) return error;
    Attributes attributes(body->attributes.subspan(at));
    while (attributes.next()) {
        if (attributes.type() == NLMSGERR_ATTR_MSG) error.text = attributes.text();
    }
    return error;
}

Result<void, DecodeProblem> decode_route(Bytes message, RouteMessage& into) {
    into.clear();
    const Header header = header_of(message);
    if (header.type != RTM_NEWROUTE && header.type != RTM_DELROUTE) {
        return fail_with(DecodeProblem::other_type);
    }
    const auto body = body_of<rtmsg>(message);
    if (!body) return fail_with(DecodeProblem::truncated);
    const rtmsg& fixed = body->fixed;
    if (!is_ip(fixed.rtm_family) && fixed.rtm_family != AF_MPLS) {
        return fail_with(DecodeProblem::bad_family);
    }
    into.removed = header.type == RTM_DELROUTE;
    into.family = fixed.rtm_family;
    into.protocol = fixed.rtm_protocol;
    into.type = fixed.rtm_type;
    into.scope = fixed.rtm_scope;
    into.tos = fixed.rtm_tos;
    into.table = fixed.rtm_table;
    into.cloned = (fixed.rtm_flags & RTM_F_CLONED) != 0;

    NextHopReader reader(fixed.rtm_family);
    RouteParts parts;
    read_route_attributes(body->attributes, reader, into, parts);
    reader.finish(parts.hop);
    if (auto done = read_destination(fixed, parts, into); !done) return done;
    if (!parts.preferred_source.empty()) {
        const auto address = ip_of(fixed.rtm_family, parts.preferred_source);
        if (!address) return fail_with(DecodeProblem::bad_length);
        into.preferred_source = *address;
    }
    if (!read_metrics(parts.metrics, into.metrics)) return fail_with(DecodeProblem::bad_metrics);
    into.realm = parts.hop.realm;
    if (!parts.multipath.empty()) {
        if (!read_multipath(parts.multipath, reader, into.next_hops)) {
            return fail_with(DecodeProblem::bad_next_hop);
        }
    } else if (leads_somewhere(parts.hop)) {
        parts.hop.onlink = (fixed.rtm_flags & RTNH_F_ONLINK) != 0;
        parts.hop.dead = (fixed.rtm_flags & RTNH_F_DEAD) != 0;
        parts.hop.realm = 0;  // the route's own, kept in into.realm
        into.next_hops.push_back(parts.hop);
    }
    into.unknown_encapsulation = reader.unknown_encapsulation;
    if (reader.bad) return fail_with(DecodeProblem::bad_next_hop);
    return {};
}

namespace {

void read_link_info(Bytes bytes, LinkMessage& link) {
    Attributes info(bytes);
    Bytes data;
    while (info.next()) {
        if (info.type() == IFLA_INFO_KIND) {
            const std::string_view kind = info.text();
            if (kind == "bridge") link.kind = LinkKind::bridge;
            if (kind == "vxlan") link.kind = LinkKind::vxlan;
            if (kind == "vrf") link.kind = LinkKind::vrf;
        } else if (info.type() == IFLA_INFO_DATA) {
            data = info.payload();
        }
    }
    if (link.kind != LinkKind::vrf) return;
    Attributes inner(data);
    while (inner.next()) {
        if (inner.type() == IFLA_VRF_TABLE) link.vrf_table = inner.u32();
    }
}

}  // namespace

Result<LinkMessage, DecodeProblem> decode_link(Bytes message) {
    const Header header = header_of(message);
    if (header.type != RTM_NEWLINK && header.type != RTM_DELLINK) {
        return fail_with(DecodeProblem::other_type);
    }
    const auto body = body_of<ifinfomsg>(message);
    if (!body) return fail_with(DecodeProblem::truncated);
    // Bridge ports report themselves a second time in a family of their own.
    if (body->fixed.ifi_family != AF_UNSPEC) return fail_with(DecodeProblem::bad_family);
    LinkMessage link;
    link.removed = header.type == RTM_DELLINK;
    link.index = static_cast<std::uint32_t>(body->fixed.ifi_index);
    link.flags = body->fixed.ifi_flags;
    Attributes attributes(body->attributes);
    while (attributes.next()) {
        switch (attributes.type()) {
            case IFLA_IFNAME:
                link.name = attributes.text();
                break;
            case IFLA_MTU:
                link.mtu = attributes.u32();
                break;
            case IFLA_MASTER:
                link.master = attributes.u32();
                break;
            case IFLA_LINKINFO:
                read_link_info(attributes.payload(), link);
                break;
            default:
                break;
        }
    }
    if (link.index == 0 || link.name.empty()) return fail_with(DecodeProblem::truncated);
    return link;
}

Result<AddressMessage, DecodeProblem> decode_address(Bytes message) {
    const Header header = header_of(message);
    if (header.type != RTM_NEWADDR && header.type != RTM_DELADDR) {
        return fail_with(DecodeProblem::other_type);
    }
    const auto body = body_of<ifaddrmsg>(message);
    if (!body) return fail_with(DecodeProblem::truncated);
    const unsigned family = body->fixed.ifa_family;
    if (!is_ip(family)) return fail_with(DecodeProblem::bad_family);
    if (body->fixed.ifa_prefixlen > bits_of(family)) return fail_with(DecodeProblem::bad_length);
    AddressMessage result;
    result.removed = header.type == RTM_DELADDR;
    result.index = body->fixed.ifa_index;
    result.family = body->fixed.ifa_family;
    result.prefix_length = body->fixed.ifa_prefixlen;
    result.scope = body->fixed.ifa_scope;
    result.flags = body->fixed.ifa_flags;
    std::optional<net::IpAddress> local;
    std::optional<net::IpAddress> address;
    Attributes attributes(body->attributes);
    while (attributes.next()) {
        switch (attributes.type()) {
            case IFA_LOCAL:
                local = ip_of(family, attributes.payload());
                break;
            case IFA_ADDRESS:
                address = ip_of(family, attributes.payload());
                break;
            case IFA_BROADCAST:
                result.broadcast = ip_of(family, attributes.payload()).value_or(net::IpAddress());
                break;
            case IFA_FLAGS:
                result.flags = attributes.u32();
                break;
            default:
                break;
        }
    }
    // IFA_ADDRESS is the peer of a point-to-point address; alone it is our own address.
    if (!local) local = address;
    if (!local) return fail_with(DecodeProblem::bad_length);
    result.local = *local;
    if (address && *address != *local) result.peer = *address;
    return result;
}

Result<NeighborMessage, DecodeProblem> decode_neighbor(Bytes message) {
    const Header header = header_of(message);
    if (header.type != RTM_NEWNEIGH && header.type != RTM_DELNEIGH) {
        return fail_with(DecodeProblem::other_type);
    }
    const auto body = body_of<ndmsg>(message);
    if (!body) return fail_with(DecodeProblem::truncated);
    NeighborMessage result;
    result.removed = header.type == RTM_DELNEIGH;
    result.index = static_cast<std::uint32_t>(body->fixed.ndm_ifindex);
    result.family = body->fixed.ndm_family;
    result.state = body->fixed.ndm_state;
    result.flags = body->fixed.ndm_flags;
    Attributes attributes(body->attributes);
    while (attributes.next()) {
        if (attributes.type() == NDA_DST) {
            const unsigned family = attributes.payload().size() == 4 ? AF_INET : AF_INET6;
            const auto address = ip_of(family, attributes.payload());
            if (!address) return fail_with(DecodeProblem::bad_length);
            result.address = *address;
        } else if (attributes.type() == NDA_LLADDR && attributes.payload().size() == 6) {
            std::memcpy(result.link_address.data(), attributes.payload().data(), 6);
            result.has_link_address = true;
        }
    }
    return result;
}

}  // namespace tern::os::netlink
