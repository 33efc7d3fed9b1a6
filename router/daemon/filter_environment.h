#pragma once
/// What filters of this router may ask: the interface store answers about gateways, messages go to
/// the log. One per Router, called from any loop that runs a filter. It holds no state but the
/// pieces of `printn` lines of each thread and the rate limit of error messages. It never changes a
/// route.

#include "locking/domain.h"
#include "router/base/lock_order.h"
#include "router/base/log.h"
#include "router/filter/environment.h"
#include "router/iface/registry.h"

#include <string>

namespace tern::daemon {

class FilterEnvironment final : public filter::Environment {
  public:
    FilterEnvironment(Logger& log, const iface::Registry& interfaces)
        : log_(log), interfaces_(interfaces) {}

    filter::RoaState roa_check(std::string_view table,
                               const net::Prefix& prefix,
                               std::uint32_t asn) override;
    filter::AspaState aspa_check(std::string_view table,
                                 std::span<const std::uint32_t> path,
                                 bool upstream) override;
    std::optional<filter::GatewayPlace> gateway(net::IpAddress address,
                                                std::uint32_t interface) override;
    std::uint32_t interface_by_name(std::string_view name) override;
    std::string_view interface_name(std::uint32_t interface, std::span<char> out) override;
    void print(std::string_view text, bool complete) override;
    void runtime_error(const filter::RuntimeError& error) override;
    void assertion_failed(std::string_view text, std::uint32_t line) override;

  private:
    Logger& log_;
    const iface::Registry& interfaces_;
    /// Leaf: messages are made outside of it.
    locking::Domain<level::FilterMessages> domain_{"filter messages"};
    std::string line_;  // of printn, until a print ends it
    LogLimit error_limit_{10, 50};
};

}  // namespace tern::daemon
