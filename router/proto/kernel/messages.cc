#include "router/proto/kernel/messages.h"

#include "router/attr/core_attributes.h"
#include "router/base/hash.h"
#include "router/proto/kernel/attributes.h"

#include <algorithm>

#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace tern::kernel {
namespace {

using os::netlink::RouteMessage;
using os::netlink::RouteMetrics;

std::uint8_t type_of(attr::Destination destination) {
    switch (destination) {
        case attr::Destination::unicast:
            return RTN_UNICAST;
        case attr::Destination::blackhole:
            return RTN_BLACKHOLE;
        case attr::Destination::unreachable:
            return RTN_UNREACHABLE;
        case attr::Destination::prohibit:
            return RTN_PROHIBIT;
    }
    return RTN_UNSPEC;
}

std::optional<attr::Destination> destination_of(std::uint8_t type) {
    switch (type) {
        case RTN_UNICAST:
            return attr::Destination::unicast;
        case RTN_BLACKHOLE:
            return attr::Destination::blackhole;
        case RTN_UNREACHABLE:
            return attr::Destination::unreachable;
        case RTN_PROHIBIT:
            return attr::Destination::prohibit;
        default:
            return std::nullopt;
    }
}

std::uint64_t hash_of(const attr::NextHop& hop, bool alone) {
    std::uint64_t hash = mix64(hop.gateway.high(), hop.gateway.low());
    // A single hop has no weight in the kernel.
    const std::uint64_t weight = alone ? 1 : hop.weight;
    hash = mix64(hash, std::uint64_t{hop.interface.value()} << 16 | weight << 1 | hop.onlink);
    for (std::size_t i = 0; i < hop.labels.count; ++i)
        hash = mix64(hash, hop.labels.labels[i]);
    return hash;
}

attr::NextHop from_kernel(const os::netlink::NextHop& hop) {
    attr::NextHop result;
    result.gateway = hop.gateway;
    result.interface = InterfaceId(hop.interface);
    result.weight = hop.weight;
    result.onlink = hop.onlink;
    const std::size_t room = result.labels.labels.size();
    result.labels.count = static_cast<std::uint8_t>(std::min<std::size_t>(hop.labels.count, room));
    for (std::size_t i = 0; i < result.labels.count; ++i) {
        result.labels.labels[i] = hop.labels.labels[i];
    }
    return result;
}

os::netlink::NextHop to_kernel(const attr::NextHop& hop) {
    os::netlink::NextHop result;
    result.gateway = hop.gateway;
    result.interface = hop.interface.value();
    result.weight = hop.weight;
    result.onlink = hop.onlink;
    result.labels.count = static_cast<std::uint8_t>(
        std::min<std::size_t>(hop.labels.count, result.labels.labels.size()));
    for (std::size_t i = 0; i < result.labels.count; ++i) {
        result.labels.labels[i] = hop.labels.labels[i];
    }
    return result;
}

void fill_metrics(const attr::AttributeSet& set, RouteMetrics& metrics) {
    for (std::size_t i = 1; i < RouteMetrics::slots; ++i) {
        const auto found = set.find(static_cast<attr::AttributeId>(krt::metrics + i));
        if (!found) continue;
        if (i == RouteMetrics::congestion_control) {
            metrics.present |= 1U << i;
            metrics.congestion = as_text(found->bytes);
        } else {
            metrics.set(i, found->word);
        }
    }
}

/// Addresses that no routing table of ours could hold, such as link-local and multicast ones.
bool possible(const net::Prefix& prefix) {
    return prefix.routable();
}

}  // namespace

Kind classify(const RouteMessage& message, const Place& place) {
    if (message.family != (place.v4 ? AF_INET : AF_INET6)) return Kind::foreign;
    if (message.table != place.table || message.cloned || message.tos != 0) return Kind::foreign;
    if (message.has_source || message.has_input_interface) return Kind::foreign;
    if (!destination_of(message.type) || !possible(message.destination)) return Kind::foreign;
    if (message.protocol == RTPROT_BIRD) return Kind::own;
    if (message.unknown_encapsulation) return Kind::foreign;
    switch (message.protocol) {
        case RTPROT_UNSPEC:
            return Kind::foreign;
        case RTPROT_REDIRECT:
            return Kind::redirect;
        case RTPROT_KERNEL:
            return Kind::kernel;
        default:
            break;
    }
    const bool dead = std::any_of(message.next_hops.begin(), message.next_hops.end(),
                                  [](const os::netlink::NextHop& hop) { return hop.dead; });
    return dead ? Kind::foreign : Kind::alien;
}

std::uint32_t fingerprint(attr::Destination destination, std::span<const attr::NextHop> hops) {
    std::uint64_t hash = mix64(static_cast<std::uint64_t>(destination), 1);
    if (destination == attr::Destination::unicast) {
        // The kernel may order the hops as it likes: the sum does not care.
        std::uint64_t sum = hops.size();
        for (const attr::NextHop& hop : hops)
            sum += hash_of(hop, hops.size() == 1);
        hash = mix64(hash, sum);
    }
    const auto folded = static_cast<std::uint32_t>(hash ^ hash >> 32);
    return folded == 0 ? 1 : folded;
}

std::uint32_t fingerprint(const RouteMessage& message) {
    const auto destination = destination_of(message.type);
    if (!destination) return 1;
    std::vector<attr::NextHop> hops;
    hops.reserve(message.next_hops.size());
    for (const os::netlink::NextHop& hop : message.next_hops)
        hops.push_back(from_kernel(hop));
    return fingerprint(*destination, hops);
}

bool capable(const attr::NextHopListView& hops) {
    if (!hops.present()) return false;
    if (!hops.unicast()) return true;
    bool all = hops.count() != 0;
    hops.for_each([&all](const attr::NextHop& hop) { all = all && hop.interface.value() != 0; });
    return all;
}

std::uint32_t metric_of(const Wanted& wanted, const Place& place) {
    if (place.metric != 0) return place.metric;
    return wanted.set == nullptr ? 0 : wanted.set->word_or(krt::metric, 0);
}

std::uint32_t kernel_metric(const RouteMessage& message, const Place& place) {
    constexpr std::uint32_t ip6_default = 1024;
    if (place.metric == 0 && !place.v4 && message.priority == ip6_default) return 0;
    return message.priority;
}

std::uint32_t extra_of(const attr::AttributeSet& set) {
    std::uint64_t hash = 0;
    for (unsigned i = 0; i < set.count(); ++i) {
        const attr::AttributeRef attribute = set.at(i);
        if (attribute.id < krt::prefsrc || attribute.id >= krt::metrics + RouteMetrics::slots) {
            continue;
        }
        hash = mix64(hash + attribute.id, attribute.word);
        for (const std::uint8_t byte : attribute.bytes)
            hash = mix64(hash, byte);
    }
    return static_cast<std::uint32_t>(hash ^ hash >> 32);
}

void fill_route(const Wanted& wanted, const Place& place, RouteMessage& into) {
    into.clear();
    into.family = place.v4 ? AF_INET : AF_INET6;
    into.protocol = RTPROT_BIRD;
    into.type = type_of(wanted.destination);
    into.table = place.table;
    into.destination = wanted.prefix;
    into.priority = metric_of(wanted, place);
    into.has_priority = into.priority != 0;
    bool gateway = true;
    if (wanted.destination == attr::Destination::unicast) {
        for (const attr::NextHop& hop : wanted.hops) {
            gateway = gateway && !hop.gateway.is_zero();
            into.next_hops.push_back(to_kernel(hop));
        }
    }
    into.scope = gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
    if (wanted.set == nullptr) return;
    into.scope = static_cast<std::uint8_t>(wanted.set->word_or(krt::scope, into.scope));
    into.realm = wanted.set->word_or(krt::realm, 0);
    into.preferred_source = wanted.set->ip(krt::prefsrc);
    fill_metrics(*wanted.set, into.metrics);
}

void fill_removal(const net::Prefix& prefix,
                  std::uint32_t metric,
                  const Place& place,
                  RouteMessage& into) {
    into.clear();
    into.removed = true;
    into.family = place.v4 ? AF_INET : AF_INET6;
    into.scope = RT_SCOPE_NOWHERE;
    into.table = place.table;
    into.destination = prefix;
    into.priority = metric;
    into.has_priority = metric != 0;
}

void fill_attributes(const RouteMessage& message, attr::AttributeList& list) {
    attr::NextHopListBuilder builder;
    const auto destination = destination_of(message.type).value_or(attr::Destination::unicast);
    if (destination != attr::Destination::unicast) {
        list.set_bytes(attr::core::next_hop, attr::ValueType::next_hops,
                       builder.destination(destination));
    } else if (!message.next_hops.empty()) {
        std::vector<attr::NextHop> hops;
        for (const os::netlink::NextHop& hop : message.next_hops)
            hops.push_back(from_kernel(hop));
        if (hops.size() == 1) hops.front().weight = 1;
        list.set_bytes(attr::core::next_hop, attr::ValueType::next_hops,
                       builder.multipath(std::move(hops), 255));
    }
    list.set_word(attr::core::source, attr::ValueType::enum_rts,
                  static_cast<std::uint32_t>(attr::RouteOrigin::inherit));
    list.set_word(krt::source, attr::ValueType::int_, message.protocol);
    list.set_word(krt::metric, attr::ValueType::int_, message.priority);
    if (message.scope != RT_SCOPE_UNIVERSE) {
        list.set_word(krt::scope, attr::ValueType::int_, message.scope);
    }
    if (!message.preferred_source.is_zero()) {
        list.set_ip(krt::prefsrc, message.preferred_source);
    }
    if (message.realm != 0) list.set_word(krt::realm, attr::ValueType::int_, message.realm);
    for (std::size_t i = 1; i < RouteMetrics::slots; ++i) {
        if (!message.metrics.has(i)) continue;
        const auto id = static_cast<attr::AttributeId>(krt::metrics + i);
        if (i == RouteMetrics::congestion_control) {
            list.set_bytes(id, attr::ValueType::string, as_bytes(message.metrics.congestion));
        } else {
            list.set_word(id, attr::ValueType::int_, message.metrics.values[i]);
        }
    }
}

}  // namespace tern::kernel
