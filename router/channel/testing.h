#pragma once
/// A channel's surroundings for the tests of this folder: a sink that keeps what it is told and
/// complains about what it must not be told.
/// Owned by a test. Never part of a library.

#include "router/channel/export_path.h"
#include "router/channel/import_path.h"
#include "router/filter/testing.h"
#include "router/table/testing.h"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::channel::testing {

using table::testing::Bench;
using table::testing::MetricClass;

/// Refuses metrics below `refuse_below`; every call is checked against what was told before.
class CheckedSink final : public RouteSink {
  public:
    struct Told {
        const attr::AttributeSet* attributes;
        table::SourceId source;
    };

    Preexport preexport(const table::RouteValue& route, const table::SourceOwner&) override {
        if (MetricClass::metric(route) < refuse_below) return Preexport::refuse;
        return MetricClass::metric(route) >= force_from ? Preexport::force : Preexport::filter;
    }

    void export_batch(std::span<const ExportedRoute> routes) override {
        for (const ExportedRoute& route : routes) {
            const auto found = told.find(route.prefix);
            REQUIRE(route.replaces == (found != told.end()));
            REQUIRE(route.last);
            if (route.attributes == nullptr) {
                REQUIRE(found != told.end());
                told.erase(found);
                ++withdrawals;
                continue;
            }
            told.insert_or_assign(route.prefix, Told{route.attributes, route.route.source});
            ++announcements;
        }
    }

    void end_of_feed() override { ++feeds; }

    void caught_up() override { ++idle; }

    [[nodiscard]] bool ready() const override { return is_ready; }

    std::map<net::Prefix, Told> told;
    std::uint32_t refuse_below = 0;
    std::uint32_t force_from = ~std::uint32_t{0};
    bool is_ready = true;
    unsigned announcements = 0;
    unsigned withdrawals = 0;
    unsigned feeds = 0;
    unsigned idle = 0;
};

struct LimitNotes final : public ImportObserver, public ExportObserver {
    void limit_crossed(LimitKind kind, const config::Limit&, bool stop) override {
        ++(kind == LimitKind::receive ? received : imported);
        if (stop) ++stops;
    }

    void bogus_route(const net::Prefix&) override { ++bogus; }

    void export_limit_crossed(const config::Limit&, bool stop) override {
        ++exported;
        if (stop) ++stops;
    }

    [[nodiscard]] config::TraceMask trace_mask() const override { return traced; }

    void trace_import(std::string_view what, const net::Prefix& prefix) override {
        traces.push_back("> " + std::string(what) + " " + prefix.to_string());
    }

    void trace_export(std::string_view what, const net::Prefix& prefix) override {
        traces.push_back("< " + std::string(what) + " " + prefix.to_string());
    }

    config::TraceMask traced = 0;
    std::vector<std::string> traces;
    unsigned received = 0;
    unsigned imported = 0;
    unsigned exported = 0;
    unsigned stops = 0;
    unsigned bogus = 0;
};

}  // namespace tern::channel::testing
