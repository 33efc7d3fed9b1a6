// `import table`: routes kept as they were received, and the filter run over them again.

#include "router/base/random.h"
#include "router/channel/testing.h"

namespace tern::channel {
namespace {

using config::LimitAction;
using testing::Bench;

/// An import path with a mirror.
struct Keeper {
    explicit Keeper(std::uint64_t seed)
        : bench(seed),
          table(bench.table()),
          mirror(bench.table({.name = "p.ipv4", .mirror = true})),
          owner(bench.owner("p")),
          source(bench.source(owner, 0)),
          path(table, environment, notes) {
        path.keep_received(mirror);
        use(filter::Filter::accept_everything());
    }

    void use(const filter::Filter& filter) {
        settings.filter = &filter;
        settings.preference = 100;
        path.configure(settings);
    }

    void announce(std::uint32_t number, std::uint32_t metric) {
        path.announce(Bench::net(number), bench.set(metric), source, bench.sim.clock().now());
    }

    void reload() {
        path.start_reload();
        while (!path.reload_step()) {
        }
    }

    void sweep(ImportPath::Sweep kind) {
        path.start_sweep(kind, owner);
        while (!path.sweep_step()) {
        }
    }

    Bench bench;
    filter::testing::QuietEnvironment environment;
    testing::LimitNotes notes;
    table::Table& table;
    table::Table& mirror;
    table::SourceOwner& owner;
    table::SourceId source;
    ImportSettings settings;
    ImportPath path;
};

}  // namespace

TEST_CASE("what was received is kept before the filter, and does not count as preferred") {
    Keeper keeper(1);
    keeper.use(filter::Filter::reject_everything());
    for (std::uint32_t i = 0; i < 10; ++i)
        keeper.announce(i, 7);
    keeper.path.withdraw(Bench::net(3), keeper.source);
    keeper.path.flush();
    CHECK(keeper.mirror.counters().routes == 9);
    CHECK(keeper.mirror.counters().filtered == 0);
    CHECK(keeper.bench.routes(keeper.mirror, Bench::net(1)).front().preference == 0);
    CHECK(keeper.table.counters().filtered == 9);  // kept, hidden
    CHECK(keeper.owner.preferred(net::NetType::ip4) == 0);
}

TEST_CASE("a reload asks the present filter and preference about all that was received") {
    Keeper keeper(2);
    keeper.use(filter::Filter::reject_everything());
    for (std::uint32_t i = 0; i < 20'000; ++i)  // more than one step
        keeper.announce(i, 7);
    keeper.path.flush();
    REQUIRE(keeper.path.stats().routes == 0);
    const std::uint64_t received = keeper.path.stats().updates.received;
    keeper.use(filter::Filter::accept_everything());
    keeper.settings.preference = 55;
    keeper.path.configure(keeper.settings);
    keeper.reload();
    CHECK(keeper.path.stats().routes == 20'000);
    CHECK(keeper.path.stats().filtered == 0);
    CHECK(keeper.path.stats().updates.received == received);
    CHECK(keeper.bench.routes(keeper.table, Bench::net(9)).front().preference == 55);
    CHECK(keeper.owner.preferred(net::NetType::ip4) == 20'000);
    CHECK(keeper.mirror.counters().routes == 20'000);
}

TEST_CASE("a route over the import limit comes in with a reload, one over the receive limit not") {
    Keeper keeper(3);
    const bool receive = GENERATE(false, true);
    const config::Limit three{.value = 3, .action = LimitAction::block};
    (receive ? keeper.settings.receive_limit : keeper.settings.import_limit) = three;
    keeper.path.configure(keeper.settings);
    for (std::uint32_t i = 0; i < 8; ++i)
        keeper.announce(i, 1);
    keeper.path.flush();
    CHECK(keeper.path.stats().routes == 3);
    CHECK(keeper.mirror.counters().routes == (receive ? 3 : 8));
    keeper.settings.receive_limit = keeper.settings.import_limit = {};
    keeper.path.configure(keeper.settings);
    keeper.reload();
    CHECK(keeper.path.stats().routes == (receive ? 3 : 8));
}

TEST_CASE("sweeps go over what was received too") {
    Keeper keeper(4);
    for (std::uint32_t i = 0; i < 30; ++i)
        keeper.announce(i, 1);
    keeper.path.flush();
    keeper.sweep(ImportPath::Sweep::mark_stale);
    for (std::uint32_t i = 0; i < 10; ++i)
        keeper.announce(i, 1);
    keeper.path.flush();
    keeper.sweep(ImportPath::Sweep::withdraw_stale);
    CHECK(keeper.mirror.counters().routes == 10);
    CHECK(keeper.path.stats().routes == 10);
    keeper.reload();
    CHECK(keeper.path.stats().routes == 10);
    keeper.sweep(ImportPath::Sweep::withdraw_all);
    CHECK(keeper.mirror.counters().routes == 0);
    CHECK(keeper.table.counters().routes == 0);
    CHECK(keeper.path.stats().routes == 0);
    CHECK(keeper.bench.index.stats().prefixes == 0);
}

TEST_CASE("after random changes and reloads the table is the mirror, filtered") {
    const std::uint64_t seed = GENERATE(1, 2, 3);
    CAPTURE(seed);
    Keeper keeper(seed);
    Random random(seed);
    std::map<std::uint32_t, std::uint32_t> model;
    bool accepts = true;
    for (unsigned step = 0; step < 20'000; ++step) {
        const auto number = static_cast<std::uint32_t>(random.below(100));
        if (random.one_in(2)) {
            model[number] = static_cast<std::uint32_t>(random.below(3));
            keeper.announce(number, model[number]);
        } else {
            keeper.path.withdraw(Bench::net(number), keeper.source);
            model.erase(number);
        }
        if (random.one_in(100)) {
            accepts = !accepts;
            keeper.use(accepts ? filter::Filter::accept_everything()
                               : filter::Filter::reject_everything());
            keeper.reload();
        }
        if (!random.one_in(50)) continue;
        keeper.path.flush();
        REQUIRE(keeper.mirror.counters().routes == model.size());
        for (const auto& [net, metric] : model) {
            REQUIRE(keeper.bench.metrics(keeper.mirror, Bench::net(net)) == std::vector{metric});
            REQUIRE(keeper.bench.metrics(keeper.table, Bench::net(net)) == std::vector{metric});
        }
        REQUIRE(keeper.table.counters().routes == model.size());
    }
    keeper.path.flush();
    keeper.reload();
    CHECK((accepts ? keeper.path.stats().routes : keeper.path.stats().filtered) == model.size());
    keeper.sweep(ImportPath::Sweep::withdraw_all);
    CHECK(keeper.bench.index.stats().prefixes == 0);
}

}  // namespace tern::channel
