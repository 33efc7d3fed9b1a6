#pragma once

/// What a filter sees of a route, and where its changes go: copy on write over a shared set.
/// Made on the stack by whoever runs a filter (channel, show route, aggregation), over an
/// AttributeList whose arena and base outlive it. Belongs to that one run; no domain of its own.
/// It never touches a table: the caller interns the list afterwards if `modified()`.

#include "router/attr/attribute_list.h"
#include "router/net/prefix.h"

#include <cstdint>
#include <string_view>

namespace tern::filter {

/// Facts about a route that are not attributes; the defaults of `source` and `from` too.
struct RouteFacts {
    std::string_view protocol;  ///< name of the instance that announced it
    net::IpAddress from;        ///< who announced it, `::` if not another router
    std::uint32_t source = 0;   ///< RTS_* word used unless the set has one
    std::uint16_t preference = 0;
};

class RouteView {
  public:
    RouteView(attr::AttributeList& attributes, const net::Prefix& net, const RouteFacts& facts)
        : attributes_(attributes), net_(net), facts_(facts), preference_(facts.preference) {}

    [[nodiscard]] const net::Prefix& net() const { return net_; }

    [[nodiscard]] const RouteFacts& facts() const { return facts_; }

    [[nodiscard]] std::uint16_t preference() const { return preference_; }

    void set_preference(std::uint16_t preference) { preference_ = preference; }

    [[nodiscard]] attr::AttributeList& attributes() { return attributes_; }

    [[nodiscard]] const attr::AttributeList& attributes() const { return attributes_; }

    [[nodiscard]] alloc::Arena& arena() const { return attributes_.arena(); }

    /// Attributes changed; the preference is compared separately, it is not in the set.
    [[nodiscard]] bool modified() const { return attributes_.modified(); }

    [[nodiscard]] bool preference_changed() const { return preference_ != facts_.preference; }

  private:
    attr::AttributeList& attributes_;
    const net::Prefix& net_;
    const RouteFacts& facts_;
    std::uint16_t preference_;
};

}  // namespace tern::filter
