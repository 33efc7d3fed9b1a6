#include "router/daemon/filter_environment.h"

#include <cstring>

namespace tern::daemon {

/// A table that does not exist in this router knows of no ROA; the configuration refuses to name
/// one.
filter::RoaState FilterEnvironment::roa_check(std::string_view, const net::Prefix&, std::uint32_t) {
    return filter::RoaState::unknown;
}

filter::AspaState FilterEnvironment::aspa_check(std::string_view,
                                                std::span<const std::uint32_t>,
                                                bool) {
    return filter::AspaState::unknown;
}

std::optional<filter::GatewayPlace> FilterEnvironment::gateway(net::IpAddress address,
                                                               std::uint32_t interface) {
    iface::Registry::Where where;
    if (address.is_link_local()) where.index = interface;
    const auto found = interfaces_.on_link(address, where);
    if (!found || found->is_local) return std::nullopt;
    return filter::GatewayPlace{found->interface->index};
}

std::uint32_t FilterEnvironment::interface_by_name(std::string_view name) {
    const iface::InterfaceRef found = interfaces_.find(name);
    return found ? found->index : 0;
}

std::string_view FilterEnvironment::interface_name(std::uint32_t interface, std::span<char> out) {
    const iface::InterfaceRef found = interfaces_.find(interface);
    if (!found) return {};
    const std::size_t size = std::min(found->name.size(), out.size());
    std::memcpy(out.data(), found->name.data(), size);
    return {out.data(), size};
}

void FilterEnvironment::print(std::string_view text, bool complete) {
    const auto guard = domain_.lock_dynamic();
    if (!complete) {
        line_ += text;
        return;
    }
    if (line_.empty()) {
        log_.submit(Severity::info, {}, {}, text);
        return;
    }
    line_ += text;
    log_.submit(Severity::info, {}, {}, line_);
    line_.clear();
}

void FilterEnvironment::runtime_error(const filter::RuntimeError& error) {
    const auto guard = domain_.lock_dynamic();
    log_.log_limited(error_limit_, Severity::error, {}, "filters, line {}: {}", error.line,
                     error.text);
}

void FilterEnvironment::assertion_failed(std::string_view text, std::uint32_t line) {
    log_.log(Severity::error, {}, "filters, line {}: Assertion failed: {}", line, text);
}

}  // namespace tern::daemon
