#include "router/channel/export_path.h"

#include "router/base/random.h"
#include "router/channel/testing.h"

namespace tern::channel {
namespace {

using config::LimitAction;
using testing::Bench;
using testing::CheckedSink;

struct Exporter {
    explicit Exporter(std::uint64_t seed)
        : bench(seed),
          table(bench.table({.name = "t", .journal_limit = 4096})),
          owner(bench.owner("p")),
          path(table, bench.sim.runtime().main_loop(), environment, sink, notes) {
        settings.filter = &filter::Filter::accept_everything();
        settings.settle = {loops::milliseconds(1), loops::milliseconds(100)};
        for (std::uint32_t i = 0; i < 4; ++i)
            sources.push_back(bench.source(owner, i));
    }

    ~Exporter() {
        const locking::TransitLock lock(bench.main);
        path.stop();
    }

    void start() {
        const locking::TransitLock lock(bench.main);
        path.start(settings);
    }

    void put(std::uint32_t number, std::uint32_t metric) {
        bench.put(table, Bench::net(number), bench.route(sources[0], metric));
    }

    void run() { bench.sim.run_for(loops::seconds(1)); }

    Bench bench;
    filter::testing::QuietEnvironment environment;
    testing::LimitNotes notes;
    CheckedSink sink;
    table::Table& table;
    table::SourceOwner& owner;
    std::vector<table::SourceId> sources;
    ExportSettings settings;
    ExportPath path;
};

}  // namespace

TEST_CASE("an export begins with the whole table and one end of feed") {
    Exporter exporter(1);
    for (std::uint32_t i = 0; i < 5000; ++i)
        exporter.put(i, 1);
    exporter.start();
    exporter.run();
    CHECK(exporter.sink.told.size() == 5000);
    CHECK(exporter.sink.feeds == 1);
    CHECK(exporter.sink.idle == 1);
    CHECK(exporter.path.idle());
    CHECK(exporter.path.stats().routes == 5000);
}

TEST_CASE("changes within the settle time travel together") {
    Exporter exporter(2);
    exporter.start();
    exporter.run();
    for (std::uint32_t metric = 1; metric <= 5; ++metric)
        exporter.put(1, metric);
    exporter.run();
    CHECK(exporter.sink.announcements <= 5);
    CHECK(exporter.sink.told.size() == 1);
    CHECK(exporter.sink.told.begin()->second.attributes == exporter.bench.set(5));
}

TEST_CASE("a route that is refused or filtered after it was announced is withdrawn") {
    Exporter exporter(3);
    exporter.sink.refuse_below = 10;
    exporter.put(1, 10);
    exporter.put(2, 10);
    exporter.start();
    exporter.run();
    CHECK(exporter.sink.told.size() == 2);
    exporter.put(1, 5);
    exporter.run();
    CHECK(exporter.sink.told.size() == 1);
    CHECK(exporter.sink.withdrawals == 1);
    CHECK(exporter.path.stats().routes == 1);
    CHECK(exporter.path.stats().updates.rejected == 1);

    exporter.settings.filter = &filter::Filter::reject_everything();
    {
        const locking::TransitLock lock(exporter.bench.main);
        exporter.path.configure(exporter.settings);
        exporter.path.refeed();
    }
    exporter.run();
    CHECK(exporter.sink.told.empty());
    CHECK(exporter.path.stats().routes == 0);
    CHECK(exporter.path.stats().updates.filtered >= 1);
}

TEST_CASE("a forced route does not ask the filter") {
    Exporter exporter(4);
    exporter.sink.force_from = 50;
    exporter.settings.filter = &filter::Filter::reject_everything();
    exporter.put(1, 10);
    exporter.put(2, 50);
    exporter.start();
    exporter.run();
    CHECK(exporter.sink.told.size() == 1);
    CHECK(exporter.sink.told.contains(Bench::net(2)));
}

TEST_CASE("routes outside of `export in` are not even counted") {
    Exporter exporter(5);
    exporter.settings.inside = net::Prefix::ip4(0x0a00'0000, 22);
    for (std::uint32_t i = 0; i < 100; ++i)
        exporter.put(i, 1);
    exporter.start();
    exporter.run();
    CHECK(exporter.sink.told.size() == 4);
    CHECK(exporter.path.stats().updates.received == 4);
}

TEST_CASE("an export limit that blocks lets withdrawals make room") {
    Exporter exporter(6);
    exporter.settings.limit = {.value = 3, .action = LimitAction::block};
    for (std::uint32_t i = 0; i < 10; ++i)
        exporter.put(i, 1);
    exporter.start();
    exporter.run();
    CHECK(exporter.sink.told.size() == 3);
    CHECK(exporter.notes.exported == 1);
    CHECK(exporter.path.stats().updates.limit == 7);
    const net::Prefix told = exporter.sink.told.begin()->first;
    exporter.bench.withdraw(exporter.table, told, exporter.sources[0]);
    exporter.run();
    CHECK(exporter.sink.told.size() == 2);
    exporter.put(20, 1);
    exporter.run();
    CHECK(exporter.sink.told.size() == 3);
}

TEST_CASE("a sink that is not ready is asked again only after it said so") {
    Exporter exporter(7);
    exporter.start();
    exporter.run();
    exporter.sink.is_ready = false;
    exporter.put(1, 1);
    exporter.run();
    CHECK(exporter.sink.told.empty());
    exporter.sink.is_ready = true;
    exporter.run();
    CHECK(exporter.sink.told.empty());
    {
        const locking::TransitLock lock(exporter.bench.main);
        exporter.path.resume();
    }
    exporter.run();
    CHECK(exporter.sink.told.size() == 1);
}

TEST_CASE("a refeed announces everything again as replacements") {
    Exporter exporter(8);
    for (std::uint32_t i = 0; i < 100; ++i)
        exporter.put(i, 1);
    exporter.start();
    exporter.run();
    {
        const locking::TransitLock lock(exporter.bench.main);
        exporter.path.refeed();
    }
    exporter.run();
    CHECK(exporter.sink.announcements == 200);
    CHECK(exporter.sink.feeds == 2);
    CHECK(exporter.path.stats().routes == 100);
}

TEST_CASE("random churn reaches the sink exactly") {
    const std::uint64_t seed = GENERATE(1, 2, 3, 4, 5, 6);
    CAPTURE(seed);
    Exporter exporter(seed);
    Random random(seed);
    constexpr std::uint32_t nets = 200;
    exporter.sink.refuse_below = 2;
    exporter.start();
    for (unsigned step = 0; step < 40000; ++step) {
        const net::Prefix net = Bench::net(static_cast<std::uint32_t>(random.below(nets)));
        const table::SourceId source = exporter.sources[random.below(4)];
        if (random.one_in(2)) {
            exporter.bench.withdraw(exporter.table, net, source);
        } else {
            table::RouteValue route =
                exporter.bench.route(source, static_cast<std::uint32_t>(random.below(6)));
            if (random.one_in(8)) route.flags = table::route_filtered;
            exporter.bench.put(exporter.table, net, route);
        }
        if (random.one_in(400)) {
            exporter.sink.is_ready = !exporter.sink.is_ready;
            const locking::TransitLock lock(exporter.bench.main);
            if (exporter.sink.is_ready) exporter.path.resume();
        }
        if (random.one_in(5000)) {
            const locking::TransitLock lock(exporter.bench.main);
            exporter.path.refeed();
        }
        if (random.one_in(30)) {
            exporter.bench.sim.run_for(
                loops::microseconds(static_cast<std::int64_t>(random.below(3000))));
        }
    }
    exporter.sink.is_ready = true;
    {
        const locking::TransitLock lock(exporter.bench.main);
        exporter.path.resume();
    }
    exporter.run();
    REQUIRE(exporter.path.idle());
    std::size_t expected = 0;
    for (std::uint32_t i = 0; i < nets; ++i) {
        const auto routes = exporter.bench.routes(exporter.table, Bench::net(i));
        const bool exported = !routes.empty() && routes.front().usable() &&
                              testing::MetricClass::metric(routes.front()) >= 2;
        const auto told = exporter.sink.told.find(Bench::net(i));
        REQUIRE((told != exporter.sink.told.end()) == exported);
        if (!exported) continue;
        ++expected;
        REQUIRE(told->second.attributes == routes.front().attributes);
        REQUIRE(told->second.source == routes.front().source);
    }
    CHECK(exporter.path.stats().routes == expected);
}

TEST_CASE("traced exports say what became of each route") {
    Exporter exporter(30);
    exporter.notes.traced = config::trace_all;
    exporter.sink.refuse_below = 5;
    exporter.put(1, 9);
    exporter.put(2, 1);
    exporter.start();
    exporter.run();
    CHECK(exporter.notes.traces ==
          std::vector<std::string>{"< added 10.0.1.0/24", "< rejected by protocol 10.0.2.0/24"});
    exporter.notes.traces.clear();
    exporter.put(1, 8);
    exporter.run();
    exporter.put(1, 2);
    exporter.run();
    CHECK(exporter.notes.traces == std::vector<std::string>{"< updated 10.0.1.0/24",
                                                            "< rejected by protocol 10.0.1.0/24",
                                                            "< removed 10.0.1.0/24"});
}

TEST_CASE("while a channel of the table refreshes, exports settle for as long as the table says") {
    Exporter exporter(31);
    exporter.table.update({.name = "t",
                           .journal_limit = 4096,
                           .refresh_settle = {loops::seconds(2), loops::seconds(5)}});
    exporter.start();
    exporter.run();
    exporter.table.count_refresh(true);
    exporter.put(1, 1);
    exporter.run();
    CHECK(exporter.sink.told.empty());
    exporter.run();
    exporter.run();
    CHECK(exporter.sink.told.size() == 1);
    exporter.table.count_refresh(false);
    exporter.put(2, 1);
    exporter.run();
    CHECK(exporter.sink.told.size() == 2);
}

}  // namespace tern::channel
