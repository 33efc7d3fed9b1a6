#pragma once

/// What a running filter may ask of the rest of the router, and where its messages go.
/// Cuts the knot between filters and what stands above them (tables, interfaces, log). Implemented
/// once per router and by tests; called from any loop that runs filters, with that loop's domain
/// held, so implementations are thread-safe and take only domains that rank above it.
/// It never changes a route.

#include "router/filter/validation.h"
#include "router/net/prefix.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tern::filter {

struct RuntimeError {
    std::string_view filter;  ///< name of the filter or function
    std::uint32_t line = 0;
    std::string_view text;
};

/// Where packets for a gateway leave.
struct GatewayPlace {
    std::uint32_t interface = 0;
};

class Environment {
  public:
    virtual ~Environment() = default;

    /// Origin validation against the named table; `unknown` if it is of another family.
    [[nodiscard]] virtual RoaState roa_check(std::string_view table,
                                             const net::Prefix& prefix,
                                             std::uint32_t asn) = 0;

    /// `path`: neighbour first.
    [[nodiscard]] virtual AspaState aspa_check(std::string_view table,
                                               std::span<const std::uint32_t> path,
                                               bool upstream) = 0;

    /// `gw = A`: the interface on which the neighbour A is; nothing if A is no neighbour, or one of
    /// our own addresses. `interface` is the route's present one, 0 if none (link-local needs it).
    [[nodiscard]] virtual std::optional<GatewayPlace> gateway(net::IpAddress address,
                                                              std::uint32_t interface) = 0;

    /// Interface id by name, 0 if unknown.
    [[nodiscard]] virtual std::uint32_t interface_by_name(std::string_view name) = 0;

    /// Name by id, copied into `out` (16 bytes suffice); empty if unknown.
    virtual std::string_view interface_name(std::uint32_t interface, std::span<char> out) = 0;

    /// One line of `print` (complete) or a piece of `printn`, which the next line continues.
    virtual void print(std::string_view text, bool complete) = 0;

    /// A run-time error; the route was rejected. Rate limits are the implementation's.
    virtual void runtime_error(const RuntimeError& error) = 0;

    /// A failed `bt_assert`; only tests care.
    virtual void assertion_failed(std::string_view text, std::uint32_t line) = 0;
};

}  // namespace tern::filter
