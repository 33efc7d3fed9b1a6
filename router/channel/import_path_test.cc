#include "router/channel/import_path.h"

#include "router/base/random.h"
#include "router/channel/testing.h"

#include <set>

namespace tern::channel {
namespace {

using config::LimitAction;
using testing::Bench;

/// A channel's import side over a table, with one owner.
struct Importer {
    explicit Importer(std::uint64_t seed)
        : bench(seed),
          table(bench.table()),
          owner(bench.owner("p")),
          source(bench.source(owner, 0)),
          path(table, environment, notes) {
        settings.filter = &filter::Filter::accept_everything();
        settings.preference = 100;
        path.configure(settings);
    }

    void announce(std::uint32_t number, std::uint32_t metric) {
        path.announce(Bench::net(number), bench.set(metric), source, bench.sim.clock().now());
    }

    [[nodiscard]] std::uint64_t in_table() { return table.counters().routes; }

    void sweep(ImportPath::Sweep kind) {
        path.start_sweep(kind, owner);
        while (!path.sweep_step()) {
        }
    }

    Bench bench;
    filter::testing::QuietEnvironment environment;
    testing::LimitNotes notes;
    table::Table& table;
    table::SourceOwner& owner;
    table::SourceId source;
    ImportSettings settings;
    ImportPath path;
};

}  // namespace

TEST_CASE("announced routes are in the table after the flush, withdrawn ones are not") {
    Importer importer(1);
    for (std::uint32_t i = 0; i < 10; ++i)
        importer.announce(i, 1);
    CHECK(importer.in_table() == 0);
    importer.path.flush();
    CHECK(importer.in_table() == 10);
    importer.path.withdraw(Bench::net(3), importer.source);
    importer.path.withdraw(Bench::net(99), importer.source);
    importer.path.flush();
    CHECK(importer.in_table() == 9);
    const ImportStats& stats = importer.path.stats();
    CHECK(stats.routes == 9);
    CHECK(stats.updates.received == 10);
    CHECK(stats.updates.accepted == 10);
    CHECK(stats.withdraws.received == 2);
    CHECK(stats.withdraws.accepted == 1);
    CHECK(stats.withdraws.ignored == 1);
}

TEST_CASE("an announcement and its withdrawal in one batch leave nothing behind") {
    Importer importer(2);
    importer.announce(1, 1);
    importer.path.withdraw(Bench::net(1), importer.source);
    importer.path.flush();
    CHECK(importer.in_table() == 0);
    CHECK(importer.path.stats().routes == 0);
    CHECK(importer.bench.index.stats().prefixes == 0);
}

TEST_CASE("the same route announced twice is ignored the second time") {
    Importer importer(3);
    importer.announce(1, 1);
    importer.announce(1, 1);
    importer.path.flush();
    CHECK(importer.path.stats().updates.ignored == 1);
    CHECK(importer.path.stats().routes == 1);
}

TEST_CASE("the preference is the channel's unless the announcement has one") {
    Importer importer(4);
    importer.announce(1, 1);
    importer.path.announce({.prefix = Bench::net(2),
                            .attributes = importer.bench.set(1),
                            .source = importer.source,
                            .preference = 7});
    importer.path.flush();
    CHECK(importer.bench.routes(importer.table, Bench::net(1)).front().preference == 100);
    CHECK(importer.bench.routes(importer.table, Bench::net(2)).front().preference == 7);
}

TEST_CASE("networks that cannot be routed are refused and told of") {
    Importer importer(5);
    importer.path.announce(net::Prefix::ip4(0x7f00'0000, 8), importer.bench.set(1), importer.source,
                           {});
    importer.path.announce(net::Prefix::ip4(0xe000'0000, 4), importer.bench.set(1), importer.source,
                           {});
    importer.path.flush();
    CHECK(importer.in_table() == 0);
    CHECK(importer.notes.bogus == 2);
    CHECK(importer.path.stats().updates.rejected == 2);
}

TEST_CASE("a rejected route replaces nothing and removes what was there") {
    Importer importer(6);
    importer.announce(1, 1);
    importer.path.flush();
    importer.settings.filter = &filter::Filter::reject_everything();
    importer.path.configure(importer.settings);
    importer.announce(1, 2);
    importer.path.flush();
    CHECK(importer.in_table() == 0);
    CHECK(importer.path.stats().routes == 0);
    CHECK(importer.path.stats().updates.filtered == 1);
}

TEST_CASE("keep filtered leaves rejected routes in the table, hidden") {
    Importer importer(7);
    importer.announce(1, 1);
    importer.path.flush();
    importer.settings.filter = &filter::Filter::reject_everything();
    importer.settings.keep_filtered = true;
    importer.path.configure(importer.settings);
    importer.announce(1, 1);
    importer.announce(2, 1);
    importer.path.flush();
    CHECK(importer.in_table() == 2);
    CHECK(importer.table.counters().filtered == 2);
    CHECK(importer.path.stats().routes == 0);
    CHECK(importer.path.stats().filtered == 2);
    importer.settings.filter = &filter::Filter::accept_everything();
    importer.path.configure(importer.settings);
    importer.announce(2, 1);
    importer.path.flush();
    CHECK(importer.path.stats().routes == 1);
    CHECK(importer.path.stats().filtered == 1);
    importer.path.withdraw(Bench::net(1), importer.source);
    importer.path.flush();
    CHECK(importer.path.stats().filtered == 0);
}

TEST_CASE("an import limit that blocks counts accepted routes and reports once") {
    Importer importer(8);
    importer.settings.import_limit = {.value = 5, .action = LimitAction::block};
    importer.path.configure(importer.settings);
    for (std::uint32_t i = 0; i < 20; ++i)
        importer.announce(i, 1);
    importer.path.flush();
    CHECK(importer.in_table() == 5);
    CHECK(importer.notes.imported == 1);
    CHECK(importer.notes.stops == 0);
    CHECK(importer.path.stats().updates.limit == 15);
    importer.announce(0, 2);  // a change of what is there is no new route
    importer.path.withdraw(Bench::net(1), importer.source);
    importer.announce(10, 1);
    importer.path.flush();
    CHECK(importer.in_table() == 5);
    CHECK(importer.bench.metrics(importer.table, Bench::net(0)).front() == 2);
    CHECK(importer.bench.metrics(importer.table, Bench::net(10)).size() == 1);
}

TEST_CASE("a limit that warns takes every route and reports each") {
    Importer importer(9);
    importer.settings.import_limit = {.value = 5, .action = LimitAction::warn};
    importer.path.configure(importer.settings);
    for (std::uint32_t i = 0; i < 8; ++i)
        importer.announce(i, 1);
    importer.path.flush();
    CHECK(importer.in_table() == 8);
    CHECK(importer.notes.imported == 3);
}

TEST_CASE("a limit that disables asks for the stop once") {
    Importer importer(10);
    importer.settings.import_limit = {.value = 0, .action = LimitAction::disable};
    importer.path.configure(importer.settings);
    for (std::uint32_t i = 0; i < 8; ++i)
        importer.announce(i, 1);
    importer.path.flush();
    CHECK(importer.in_table() == 0);
    CHECK(importer.notes.stops == 1);
}

TEST_CASE("a receive limit counts rejected routes too if they are kept") {
    Importer importer(11);
    importer.settings.receive_limit = {.value = 3, .action = LimitAction::block};
    importer.settings.filter = &filter::Filter::reject_everything();
    importer.settings.keep_filtered = true;
    importer.path.configure(importer.settings);
    for (std::uint32_t i = 0; i < 8; ++i)
        importer.announce(i, 1);
    importer.path.flush();
    CHECK(importer.in_table() == 3);
    CHECK(importer.notes.received == 1);
    CHECK(importer.path.stats().updates.receive_limit == 5);
}

TEST_CASE("a refresh cycle withdraws what was not announced again") {
    Importer importer(12);
    for (std::uint32_t i = 0; i < 30; ++i)
        importer.announce(i, 1);
    importer.path.flush();
    importer.sweep(ImportPath::Sweep::mark_stale);
    CHECK(importer.in_table() == 30);
    for (std::uint32_t i = 0; i < 30; i += 3)
        importer.announce(i, i % 2 == 0 ? 1 : 2);
    importer.path.flush();
    importer.sweep(ImportPath::Sweep::withdraw_stale);
    CHECK(importer.in_table() == 10);
    CHECK(importer.path.stats().routes == 10);
    importer.sweep(ImportPath::Sweep::withdraw_all);
    CHECK(importer.in_table() == 0);
    CHECK(importer.path.stats().routes == 0);
    CHECK(importer.bench.index.stats().prefixes == 0);
}

TEST_CASE("a sweep leaves routes of other owners alone") {
    Importer importer(13);
    table::SourceOwner& other = importer.bench.owner("q");
    importer.bench.put(importer.table, Bench::net(1),
                       importer.bench.route(importer.bench.source(other, 0), 5));
    importer.announce(1, 1);
    importer.path.flush();
    importer.sweep(ImportPath::Sweep::withdraw_all);
    CHECK(importer.in_table() == 1);
}

TEST_CASE("random announcements and withdrawals leave exactly what a model says") {
    const std::uint64_t seed = GENERATE(1, 2, 3, 4);
    CAPTURE(seed);
    Importer importer(seed);
    Random random(seed);
    importer.settings.import_limit = {.value = 60, .action = LimitAction::block};
    importer.path.configure(importer.settings);
    std::map<std::uint32_t, std::uint32_t> model;
    for (unsigned step = 0; step < 20000; ++step) {
        const auto number = static_cast<std::uint32_t>(random.below(100));
        if (random.one_in(2)) {
            const auto metric = static_cast<std::uint32_t>(random.below(3));
            importer.announce(number, metric);
            if (model.contains(number) || model.size() < 60) model[number] = metric;
        } else {
            importer.path.withdraw(Bench::net(number), importer.source);
            model.erase(number);
        }
        if (!random.one_in(50)) continue;
        importer.path.flush();
        REQUIRE(importer.path.stats().routes == model.size());
        for (std::uint32_t i = 0; i < 100; ++i) {
            const auto metrics = importer.bench.metrics(importer.table, Bench::net(i));
            REQUIRE(metrics.size() == model.count(i));
            if (!metrics.empty()) REQUIRE(metrics.front() == model[i]);
        }
    }
}

TEST_CASE("traced imports say what became of each route") {
    using Trace = config::Trace;
    Importer importer(30);
    importer.notes.traced = static_cast<config::TraceMask>(Trace::routes);
    importer.settings.import_limit = {1, LimitAction::block};
    importer.path.configure(importer.settings);
    importer.announce(1, 1);
    importer.announce(1, 2);
    importer.announce(1, 2);
    importer.announce(2, 1);
    importer.path.withdraw(Bench::net(1), importer.source);
    importer.path.withdraw(Bench::net(9), importer.source);
    importer.path.flush();
    CHECK(importer.notes.traces ==
          std::vector<std::string>{"> added 10.0.1.0/24", "> updated 10.0.1.0/24",
                                   "> ignored 10.0.1.0/24", "> ignored (import limit) 10.0.2.0/24",
                                   "> removed 10.0.1.0/24", "> ignored 10.0.9.0/24"});
    importer.notes.traces.clear();
    importer.notes.traced = static_cast<config::TraceMask>(Trace::filters);
    importer.settings.filter = &filter::Filter::reject_everything();
    importer.path.configure(importer.settings);
    importer.announce(3, 1);
    importer.path.flush();
    CHECK(importer.notes.traces == std::vector<std::string>{"> filtered out 10.0.3.0/24"});
}

}  // namespace tern::channel
