#pragma once
/// Surroundings of a filter that asks nobody: nothing is known, and what it says is dropped.
/// For tests of what stands above filters and of channels in which one runs; owned by the test.
/// Never part of a library.

#include "router/filter/environment.h"

namespace tern::filter::testing {

class QuietEnvironment final : public filter::Environment {
  public:
    filter::RoaState roa_check(std::string_view, const net::Prefix&, std::uint32_t) override {
        return filter::RoaState::unknown;
    }

    filter::AspaState aspa_check(std::string_view, std::span<const std::uint32_t>, bool) override {
        return filter::AspaState::unknown;
    }

    std::optional<filter::GatewayPlace> gateway(net::IpAddress, std::uint32_t) override {
        return std::nullopt;
    }

    std::uint32_t interface_by_name(std::string_view) override { return 0; }

    std::string_view interface_name(std::uint32_t, std::span<char>) override { return {}; }

    void print(std::string_view, bool) override {}

    void runtime_error(const filter::RuntimeError&) override {}

    void assertion_failed(std::string_view, std::uint32_t) override {}
};

}  // namespace tern::filter::testing
