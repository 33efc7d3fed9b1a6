#include "router/table/table.h"

#include "router/table/snapshot.h"
#include "router/table/testing.h"

#include <catch2/catch.hpp>

namespace tern::table {
namespace {

using testing::Bench;
using Metrics = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("the best route of a prefix stands first and a tie keeps the older one") {
    Bench bench(1);
    Table& table = bench.table();
    SourceOwner& owner = bench.owner("a");
    const SourceId first = bench.source(owner, 1);
    const SourceId second = bench.source(owner, 2);
    const SourceId third = bench.source(owner, 3);
    const net::Prefix net = Bench::net(1);
    CHECK(bench.put(table, net, bench.route(first, 20)) == Change::added);
    CHECK(bench.put(table, net, bench.route(second, 20)) == Change::added);
    CHECK(bench.routes(table, net).front().source == first);
    CHECK(bench.put(table, net, bench.route(third, 10)) == Change::added);
    CHECK(bench.routes(table, net).front().source == third);

    RouteValue preferred = bench.route(second, 90);
    preferred.preference = 200;
    CHECK(bench.put(table, net, preferred) == Change::replaced);
    CHECK(bench.routes(table, net).front().source == second);
    CHECK(table.counters().routes == 3);
    CHECK(table.counters().prefixes == 1);
}

TEST_CASE("a route put again without a change is ignored and keeps its time") {
    Bench bench(2);
    Table& table = bench.table();
    const SourceId source = bench.source(bench.owner("a"), 0);
    RouteValue route = bench.route(source, 5);
    route.set_time(loops::Instant::from_microseconds(1'000'000));
    CHECK(bench.put(table, Bench::net(1), route) == Change::added);
    route.set_time(loops::Instant::from_microseconds(9'000'000));
    CHECK(bench.put(table, Bench::net(1), route) == Change::ignored);
    CHECK(bench.routes(table, Bench::net(1)).front().time().microseconds() == 1'000'000);
}

TEST_CASE("after the best route left the next best one follows") {
    Bench bench(3);
    Table& table = bench.table();
    SourceOwner& owner = bench.owner("a");
    const net::Prefix net = Bench::net(7);
    for (std::uint32_t i = 1; i <= 5; ++i)
        bench.put(table, net, bench.route(bench.source(owner, i), 60 - 10 * i));
    CHECK(bench.metrics(table, net).front() == 10);
    CHECK(bench.withdraw(table, net, bench.routes(table, net).front().source));
    CHECK(bench.metrics(table, net).front() == 20);
    while (!bench.routes(table, net).empty())
        CHECK(bench.withdraw(table, net, bench.routes(table, net).front().source));
    CHECK(table.counters().routes == 0);
    CHECK(table.counters().prefixes == 0);
    CHECK(bench.index.stats().prefixes == 0);
}

TEST_CASE("a best route that became worse gives way, one that became better comes first") {
    Bench bench(4);
    Table& table = bench.table();
    SourceOwner& owner = bench.owner("a");
    const SourceId one = bench.source(owner, 1);
    const SourceId two = bench.source(owner, 2);
    const net::Prefix net = Bench::net(1);
    bench.put(table, net, bench.route(one, 10));
    bench.put(table, net, bench.route(two, 20));
    bench.put(table, net, bench.route(one, 30));
    CHECK(bench.routes(table, net).front().source == two);
    bench.put(table, net, bench.route(one, 5));
    CHECK(bench.routes(table, net).front().source == one);
}

TEST_CASE("a sorted table keeps all routes of a prefix in order") {
    Bench bench(5);
    Table& table = bench.table({.name = "s", .sorted = true});
    SourceOwner& owner = bench.owner("a");
    const net::Prefix net = Bench::net(1);
    const Metrics wanted = {40, 10, 30, 50, 20};
    for (std::uint32_t i = 0; i < wanted.size(); ++i)
        bench.put(table, net, bench.route(bench.source(owner, i), wanted[i]));
    CHECK(bench.metrics(table, net) == Metrics{10, 20, 30, 40, 50});
    bench.put(table, net, bench.route(bench.source(owner, 1), 45));
    CHECK(bench.metrics(table, net) == Metrics{20, 30, 40, 45, 50});
    bench.withdraw(table, net, bench.source(owner, 2));
    CHECK(bench.metrics(table, net) == Metrics{20, 40, 45, 50});
}

TEST_CASE("a filtered route is kept but never the best one while another is there") {
    Bench bench(6);
    Table& table = bench.table();
    SourceOwner& owner = bench.owner("a");
    RouteValue hidden = bench.route(bench.source(owner, 1), 1);
    hidden.flags = route_filtered;
    bench.put(table, Bench::net(1), hidden);
    CHECK(table.counters().filtered == 1);
    bench.put(table, Bench::net(1), bench.route(bench.source(owner, 2), 99));
    CHECK(bench.metrics(table, Bench::net(1)).front() == 99);
    CHECK(owner.preferred(net::NetType::ip4) == 1);
    hidden.flags = 0;
    bench.put(table, Bench::net(1), hidden);
    CHECK(table.counters().filtered == 0);
    CHECK(bench.metrics(table, Bench::net(1)).front() == 1);
}

TEST_CASE("owners know how many best routes they have") {
    Bench bench(7);
    Table& table = bench.table();
    SourceOwner& a = bench.owner("a");
    SourceOwner& b = bench.owner("b");
    const SourceId of_a = bench.source(a, 0);
    const SourceId of_b = bench.source(b, 0);
    for (std::uint32_t i = 0; i < 10; ++i) {
        bench.put(table, Bench::net(i), bench.route(of_a, 10));
        bench.put(table, Bench::net(i), bench.route(of_b, i < 4 ? 5 : 50));
    }
    CHECK(a.preferred(net::NetType::ip4) == 6);
    CHECK(b.preferred(net::NetType::ip4) == 4);
    bench.put(table, Bench::net(0), bench.route(of_b, 90));
    CHECK(a.preferred(net::NetType::ip4) == 7);
    for (std::uint32_t i = 0; i < 10; ++i)
        bench.withdraw(table, Bench::net(i), of_a);
    CHECK(a.preferred(net::NetType::ip4) == 0);
    CHECK(b.preferred(net::NetType::ip4) == 10);
}

TEST_CASE("a sweep withdraws what it is told to, whatever its stride") {
    Bench bench(8);
    for (const std::uint32_t stride : {1U, 7U, 100000U}) {
        Table& table = bench.table();
        SourceOwner& owner = bench.owner("a");
        const SourceId even = bench.source(owner, 0);
        const SourceId odd = bench.source(owner, 1);
        for (std::uint32_t i = 0; i < 3000; ++i) {
            bench.put(table, Bench::net(i), bench.route(even, i % 3));
            bench.put(table, Bench::net(i), bench.route(odd, i % 2));
        }
        SourceId victim = even;
        std::uint32_t position = 0;
        while (position != Table::Writer::index_end) {
            Table::Writer writer(table);
            position = writer.sweep(
                position, stride,
                [](const Route& route, void* context) {
                    return route.source == *static_cast<SourceId*>(context)
                               ? Table::Writer::Verdict::withdraw
                               : Table::Writer::Verdict::keep;
                },
                &victim);
        }
        CHECK(table.counters().routes == 3000);
        bool only_odd = true;
        for (std::uint32_t i = 0; i < 3000; ++i) {
            const std::vector<Route> routes = bench.routes(table, Bench::net(i));
            only_odd = only_odd && routes.size() == 1 && routes.front().source == odd;
        }
        CHECK(only_odd);
        bench.drop_tables();
    }
}

TEST_CASE("a source and its owner stay as long as a route needs them") {
    Bench bench(9);
    Table& table = bench.table();
    bool destroyed = false;
    auto* owner = new testing::TestOwner(bench.metric_class, "gone", &destroyed);
    const SourceId id = bench.sources.acquire(*owner, 3);
    CHECK(bench.sources.acquire(*owner, 3) == id);
    bench.put(table, Bench::net(1), bench.route(id, 1));
    bench.sources.release(id);
    bench.sources.release(id);
    bench.sources.release_owner(owner);
    CHECK_FALSE(destroyed);
    CHECK(bench.sources.owner(id).protocol_name() == "gone");
    bench.withdraw(table, Bench::net(1), id);
    CHECK(destroyed);
    CHECK(bench.sources.live() == 0);
}

TEST_CASE("an owner that speaks for another one keeps it") {
    Bench bench(10);
    bool original_gone = false;
    bool speaker_gone = false;
    auto* original = new testing::TestOwner(bench.metric_class, "o", &original_gone);
    auto* speaker = new testing::TestOwner(bench.metric_class, "s", &speaker_gone);
    bench.sources.keep_original(*speaker, *original);
    bench.sources.release_owner(original);
    CHECK_FALSE(original_gone);
    bench.sources.release_owner(speaker);
    CHECK(speaker_gone);
    CHECK(original_gone);
}

TEST_CASE("a snapshot gives every route once and keeps what it shows alive") {
    Bench bench(11);
    Table& table = bench.table();
    SourceOwner& owner = bench.owner("a");
    const SourceId source = bench.source(owner, 0);
    const SourceId other = bench.source(owner, 1);
    for (std::uint32_t i = 0; i < 2500; ++i) {
        bench.put(table, Bench::net(i), bench.route(source, 1));
        if (i % 5 == 0) bench.put(table, Bench::net(i), bench.route(other, 2));
    }
    Snapshot snapshot(bench.services());
    std::map<net::Prefix, unsigned> seen;
    Snapshot::Stretch stretch;
    stretch.ids_max = 300;
    stretch.routes_max = 100;
    while (stretch.position != Snapshot::end) {
        stretch.position = snapshot.take(table, stretch);
        CHECK(snapshot.routes().size() <= 101);
        for (const SnapshotRoute& route : snapshot.routes()) {
            CHECK(route.best == route.first);
            ++seen[route.prefix];
        }
    }
    CHECK(seen.size() == 2500);
    CHECK(seen[Bench::net(5)] == 2);
    CHECK(seen[Bench::net(6)] == 1);

    snapshot.take_longest(table, net::Prefix::host(net::IpAddress::v4(0x0a00'0507)));
    REQUIRE(snapshot.routes().size() == 2);
    bench.withdraw(table, Bench::net(5), source);
    CHECK(snapshot.routes().front().prefix == Bench::net(5));
    CHECK(snapshot.owner(snapshot.routes().front().route).protocol_name() == "a");
    snapshot.take_exact(table, net::Prefix::ip4(0x0a00'0000, 8));
    CHECK(snapshot.routes().empty());
}

}  // namespace tern::table
