#pragma once

/// Where a route points: a destination kind and, for unicast, a canonical list of next hops.
/// The list is one core attribute, encoded flat so that equal destinations are equal bytes.
/// Builders belong to whoever makes a route; views borrow. Pure, any domain. It never resolves
/// anything: recursive next hops are a separate attribute that the next-hop cache turns into this
/// one.

#include "router/attr/attribute_set.h"
#include "router/base/limits.h"
#include "router/base/strong.h"
#include "router/net/ip_address.h"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace tern::attr {

/// In the order of the filter constants RTD_*.
enum class Destination : std::uint8_t { unicast, blackhole, unreachable, prohibit };

/// `unicast`, `blackhole`, `unreachable`, `prohibited`.
[[nodiscard]] std::string_view destination_name(Destination destination);

struct LabelStack {
    std::uint8_t count = 0;
    std::array<std::uint32_t, limits::mpls_label_stack> labels = {};  ///< outermost first
    friend bool operator==(const LabelStack&, const LabelStack&) = default;
};

struct NextHop {
    net::IpAddress gateway;    ///< `::`: the network is on the link
    InterfaceId interface;     ///< 0: none (yet)
    std::uint16_t weight = 1;  ///< 1..256
    bool onlink = false;       ///< the gateway is reachable although no address covers it
    LabelStack labels;

    friend bool operator==(const NextHop&, const NextHop&) = default;
};

/// Canonical order: weight descending, gateway, label count descending, labels descending,
/// interface ascending.
[[nodiscard]] bool next_hop_before(const NextHop& a, const NextHop& b);

/// Reads the encoded form.
class NextHopListView {
  public:
    NextHopListView() = default;

    explicit NextHopListView(Bytes encoded) : encoded_(encoded) {}

    /// False: the route has no such attribute.
    [[nodiscard]] bool present() const { return !encoded_.empty(); }

    [[nodiscard]] Destination destination() const { return static_cast<Destination>(encoded_[0]); }

    [[nodiscard]] bool unicast() const {
        return present() && destination() == Destination::unicast;
    }

    /// Number of next hops; 0 unless unicast.
    [[nodiscard]] unsigned count() const {
        return present() ? static_cast<unsigned>(encoded_[1] | encoded_[2] << 8) : 0U;
    }

    /// The first next hop; count() > 0.
    [[nodiscard]] NextHop front() const {
        std::size_t offset = header_size;
        return decode(offset);
    }

    /// Whether the list is in canonical order (routes from filters and protocols must be).
    [[nodiscard]] bool canonical() const;

    /// Calls `visit(const NextHop&)` for each.
    template <class Visitor>
    void for_each(Visitor&& visit) const {
        std::size_t offset = header_size;
        for (unsigned i = 0; i < count(); ++i)
            visit(decode(offset));
    }

    [[nodiscard]] Bytes bytes() const { return encoded_; }

    [[nodiscard]] std::vector<NextHop> to_vector() const;

    static constexpr std::size_t header_size = 3;

  private:
    [[nodiscard]] NextHop decode(std::size_t& offset) const;

    Bytes encoded_;
};

/// Encodes; the result lives until the next call of a method, in the builder, which therefore must
/// have a name.
class NextHopListBuilder {
  public:
    /// Blackhole and its like: no next hops.
    [[nodiscard]] Bytes destination(Destination destination) &;
    /// One next hop.
    [[nodiscard]] Bytes single(const NextHop& hop) &;
    /// Sorts, drops duplicates (same gateway, interface and labels; the greater weight stays) and
    /// cuts at `max` hops; not empty.
    [[nodiscard]] Bytes multipath(std::vector<NextHop> hops, unsigned max) &;

  private:
    void encode(const NextHop& hop);

    std::vector<std::uint8_t> bytes_;
};

/// A next hop to be looked up in an IGP table.
struct RecursiveNextHop {
    net::IpAddress host;
    net::IpAddress link_local;  ///< `::` if none
    std::uint32_t table = 0;    ///< the IGP table's number within the router
    LabelStack labels;

    [[nodiscard]] static std::optional<RecursiveNextHop> decode(Bytes encoded);
    /// Appends the encoded form.
    void encode(std::vector<std::uint8_t>& out) const;
    friend bool operator==(const RecursiveNextHop&, const RecursiveNextHop&) = default;
};

}  // namespace tern::attr
