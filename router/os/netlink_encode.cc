#include "router/os/netlink_codec.h"

#include <cstring>

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/lwtunnel.h>
#include <linux/mpls.h>
#include <linux/mpls_iptunnel.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace tern::os::netlink {
namespace {

/// Builds one message over libmnl's checked functions; sticky failure when memory runs out.
class Builder {
  public:
    Builder(MutableBytes output, std::uint16_t type, std::uint16_t flags, std::uint32_t sequence)
        : size_(output.size()), failed_(output.size() < MNL_NLMSG_HDRLEN) {
        TERN_ASSERT(reinterpret_cast<std::uintptr_t>(output.data()) % 4 == 0);
        if (failed_) return;
        header_ = mnl_nlmsg_put_header(output.data());
        header_->nlmsg_type = type;
        header_->nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
        header_->nlmsg_seq = sequence;
    }

    /// Zeroed room for a fixed structure; null after a failure.
    template <class Fixed>
    Fixed* fixed() {
        const std::size_t bytes = MNL_ALIGN(sizeof(Fixed));
        if (failed_ || header_->nlmsg_len + bytes > size_) {
            failed_ = true;
            return nullptr;
        }
        auto* at = reinterpret_cast<std::uint8_t*>(header_) + header_->nlmsg_len;
        std::memset(at, 0, bytes);
        header_->nlmsg_len += static_cast<std::uint32_t>(bytes);
        return reinterpret_cast<Fixed*>(at);
    }

    void bytes(std::uint16_t type, Bytes value) {
        if (!failed_ && mnl_attr_put_check(header_, size_, type, value.size(), value.data()))
            return;
        failed_ = true;
    }

    void u32(std::uint16_t type, std::uint32_t value) {
        bytes(type, {reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
    }

    void u16(std::uint16_t type, std::uint16_t value) {
        bytes(type, {reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
    }

    void address(std::uint16_t type, const net::IpAddress& ip, bool v4) {
        std::uint8_t value[16];
        if (v4) {
            ip.store4(value);
        } else {
            ip.store16(value);
        }
        bytes(type, {value, v4 ? std::size_t{4} : std::size_t{16}});
    }

    /// Nested attributes without the NLA_F_NESTED bit, as route attributes are.
    std::size_t begin_nest(std::uint16_t type) {
        const std::size_t at = failed_ ? 0 : header_->nlmsg_len;
        bytes(type, {});
        return at;
    }

    void end_nest(std::size_t at) {
        if (failed_ || header_->nlmsg_len - at > UINT16_MAX) {
            failed_ = true;
            return;
        }
        auto* attribute = reinterpret_cast<nlattr*>(reinterpret_cast<std::uint8_t*>(header_) + at);
        attribute->nla_len = static_cast<std::uint16_t>(header_->nlmsg_len - at);
    }

    [[nodiscard]] std::size_t length() const { return failed_ ? 0 : header_->nlmsg_len; }

  private:
    std::size_t size_;
    bool failed_;
    nlmsghdr* header_ = nullptr;
};

void put_labels(Builder& builder, std::uint16_t type, const LabelStack& stack) {
    std::uint8_t bytes[labels_max * 4];
    for (std::size_t i = 0; i < stack.count; ++i) {
        const std::uint32_t bottom = i + 1 == stack.count ? 1U << MPLS_LS_S_SHIFT : 0;
        store_u32(bytes + i * 4, stack.labels[i] << MPLS_LS_LABEL_SHIFT | bottom);
    }
    builder.bytes(type, {bytes, stack.count * std::size_t{4}});
}

void put_gateway(Builder& builder, const RouteMessage& route, const NextHop& hop) {
    if (hop.gateway.is_zero()) return;
    const bool v4 = hop.gateway.is_v4();
    if (route.family == (v4 ? AF_INET : AF_INET6)) {
        builder.address(RTA_GATEWAY, hop.gateway, v4);
        return;
    }
    // A gateway of another family: IPv4 via IPv6 (RFC 8950 needs it), and every MPLS route.
    std::uint8_t via[18];
    const std::uint16_t family = v4 ? AF_INET : AF_INET6;
    std::memcpy(via, &family, sizeof family);
    if (v4) {
        hop.gateway.store4(via + 2);
    } else {
        hop.gateway.store16(via + 2);
    }
    builder.bytes(RTA_VIA, {via, v4 ? std::size_t{6} : std::size_t{18}});
}

void put_hop(Builder& builder, const RouteMessage& route, const NextHop& hop) {
    put_gateway(builder, route, hop);
    if (hop.labels.count == 0) return;
    if (route.family == AF_MPLS) {
        put_labels(builder, RTA_NEWDST, hop.labels);
        return;
    }
    builder.u16(RTA_ENCAP_TYPE, LWTUNNEL_ENCAP_MPLS);
    const std::size_t nest = builder.begin_nest(RTA_ENCAP);
    put_labels(builder, MPLS_IPTUNNEL_DST, hop.labels);
    builder.end_nest(nest);
}

void put_multipath(Builder& builder, const RouteMessage& route) {
    const std::size_t nest = builder.begin_nest(RTA_MULTIPATH);
    for (const NextHop& hop : route.next_hops) {
        const std::size_t start = builder.length();
        auto* fixed = builder.fixed<rtnexthop>();
        if (fixed == nullptr) return;
        fixed->rtnh_ifindex = static_cast<int>(hop.interface);
        fixed->rtnh_hops = static_cast<std::uint8_t>(hop.weight - 1);
        fixed->rtnh_flags = hop.onlink ? std::uint8_t{RTNH_F_ONLINK} : std::uint8_t{0};
        put_hop(builder, route, hop);
        const std::uint32_t realm = route.realm != 0 ? route.realm : hop.realm;
        if (realm != 0) builder.u32(RTA_FLOW, realm);
        if (builder.length() == 0) return;
        fixed->rtnh_len = static_cast<std::uint16_t>(builder.length() - start);
    }
    builder.end_nest(nest);
}

void put_metrics(Builder& builder, const RouteMetrics& metrics) {
    if (metrics.present == 0) return;
    const std::size_t nest = builder.begin_nest(RTA_METRICS);
    for (std::uint16_t i = 1; i < RouteMetrics::slots; ++i) {
        if (!metrics.has(i)) continue;
        if (i == RouteMetrics::congestion_control) {
            const std::string& name = metrics.congestion;
            // With its final zero, which the kernel wants.
            builder.bytes(i,
                          {reinterpret_cast<const std::uint8_t*>(name.c_str()), name.size() + 1});
        } else {
            builder.u32(i, metrics.values[i]);
        }
    }
    builder.end_nest(nest);
}

void put_destination(Builder& builder, const RouteMessage& route, rtmsg& fixed) {
    if (route.family == AF_MPLS) {
        fixed.rtm_dst_len = 20;
        LabelStack stack;
        stack.count = 1;
        stack.labels[0] = route.mpls_label;
        put_labels(builder, RTA_DST, stack);
        return;
    }
    fixed.rtm_dst_len = static_cast<std::uint8_t>(route.destination.length());
    builder.address(RTA_DST, route.destination.address(), route.family == AF_INET);
    if (!route.has_source) return;
    fixed.rtm_src_len = static_cast<std::uint8_t>(route.source.length());
    builder.address(RTA_SRC, route.source.address(), route.family == AF_INET);
}

void put_way(Builder& builder, const RouteMessage& route, rtmsg& fixed) {
    if (!route.preferred_source.is_zero()) {
        builder.address(RTA_PREFSRC, route.preferred_source, route.preferred_source.is_v4());
    }
    put_metrics(builder, route.metrics);
    if (route.next_hops.size() > 1) {
        put_multipath(builder, route);
        return;
    }
    if (route.realm != 0) builder.u32(RTA_FLOW, route.realm);
    if (route.next_hops.empty()) return;
    const NextHop& hop = route.next_hops.front();
    if (hop.interface != 0) builder.u32(RTA_OIF, hop.interface);
    if (hop.onlink) fixed.rtm_flags |= RTNH_F_ONLINK;
    put_hop(builder, route, hop);
}

}  // namespace

std::size_t encode_route(MutableBytes output,
                         const RouteMessage& route,
                         std::uint16_t flags,
                         std::uint32_t sequence) {
    Builder builder(output, route.removed ? RTM_DELROUTE : RTM_NEWROUTE, flags, sequence);
    auto* fixed = builder.fixed<rtmsg>();
    if (fixed == nullptr) return 0;
    fixed->rtm_family = route.family;
    fixed->rtm_protocol = route.protocol;
    fixed->rtm_type = route.type;
    fixed->rtm_scope = route.scope;
    fixed->rtm_tos = route.tos;
    put_destination(builder, route, *fixed);
    if (route.table < 256) {
        fixed->rtm_table = static_cast<std::uint8_t>(route.table);
    } else {
        fixed->rtm_table = RT_TABLE_UNSPEC;
        builder.u32(RTA_TABLE, route.table);
    }
    if (route.has_priority) builder.u32(RTA_PRIORITY, route.priority);
    if (!route.removed) put_way(builder, route, *fixed);
    return builder.length();
}

std::size_t encode_dump(MutableBytes output,
                        std::uint16_t type,
                        std::uint8_t family,
                        std::uint32_t table,
                        std::uint32_t sequence) {
    Builder builder(output, type, NLM_F_DUMP, sequence);
    switch (type) {
        case RTM_GETROUTE: {
            auto* fixed = builder.fixed<rtmsg>();
            if (fixed == nullptr) return 0;
            fixed->rtm_family = family;
            if (table != 0) builder.u32(RTA_TABLE, table);
            break;
        }
        case RTM_GETADDR:
            if (auto* fixed = builder.fixed<ifaddrmsg>()) fixed->ifa_family = family;
            break;
        case RTM_GETNEIGH:
            if (auto* fixed = builder.fixed<ndmsg>()) fixed->ndm_family = family;
            break;
        default:
            if (auto* fixed = builder.fixed<ifinfomsg>()) fixed->ifi_family = family;
            break;
    }
    return builder.length();
}

}  // namespace tern::os::netlink
