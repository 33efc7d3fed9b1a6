#include "router/table/export_reader.h"

#include "router/base/random.h"
#include "router/table/testing.h"

#include <deque>
#include <optional>

#include <catch2/catch.hpp>

namespace tern::table {
namespace {

using testing::Bench;
using Progress = ExportReader::Progress;

/// A reader that keeps what it was told, and complains about what it must not be told.
class Follower {
  public:
    struct Known {
        net::Prefix prefix;
        std::vector<std::pair<SourceId, const attr::AttributeSet*>> routes;
    };

    Follower(Bench& bench, Table& table, ReadMode mode)
        : bench_(bench),
          mode_(mode),
          news_([](void* context, loops::Turn&) { static_cast<Follower*>(context)->woken = true; },
                this),
          batch_(bench.services()),
          reader_(table, mode, news_, bench.sim.runtime().main_loop()) {}

    ~Follower() {
        const locking::TransitLock lock(bench_.main);
        news_.cancel();
    }

    Progress read(std::size_t count) {
        const Progress progress = reader_.read(batch_, count);
        Known current;
        std::optional<net::PrefixId> id;
        for (const ExportItem& item : batch_.items()) {
            if (id) REQUIRE(*id == item.route.prefix);  // routes of a prefix come together
            id = item.route.prefix;
            if (item.route.attributes != nullptr) {
                REQUIRE(item.route.usable());
                current.routes.emplace_back(item.route.source, item.route.attributes);
            }
            if (!item.last) continue;
            take(*id, std::move(current));
            current = {};
            id.reset();
        }
        REQUIRE_FALSE(id);
        batch_.clear();
        return progress;
    }

    void read_all() {
        for (;;) {
            if (read(17) == Progress::idle) return;
        }
    }

    [[nodiscard]] const std::map<net::PrefixId, Known>& known() const { return known_; }

    [[nodiscard]] ExportReader& reader() { return reader_; }

    [[nodiscard]] ReadMode mode() const { return mode_; }

    bool woken = false;
    std::size_t told = 0;

  private:
    void take(net::PrefixId id, Known current) {
        ++told;
        const net::Prefix prefix = bench_.index.prefix(id);
        const auto found = known_.find(id);
        // An id must not change its meaning before its end was told.
        if (found != known_.end()) REQUIRE(found->second.prefix == prefix);
        if (current.routes.empty()) {
            REQUIRE(found != known_.end());  // an end is told once
            known_.erase(found);
            reader_.set_announced(id, false);
            return;
        }
        if (mode_ == ReadMode::best) REQUIRE(current.routes.size() == 1);
        current.prefix = prefix;
        known_[id] = std::move(current);
        reader_.set_announced(id, true);
    }

    Bench& bench_;
    ReadMode mode_;
    loops::Event news_;
    ExportBatch batch_;
    ExportReader reader_;
    std::map<net::PrefixId, Known> known_;
};

/// What a follower that has read everything must know.
void check_equal(Bench& bench, Table& table, const Follower& follower, std::uint32_t nets) {
    std::size_t prefixes = 0;
    std::map<net::Prefix, const Follower::Known*> known;
    for (const auto& [id, each] : follower.known()) {
        REQUIRE_FALSE(known.contains(each.prefix));
        known[each.prefix] = &each;
    }
    for (std::uint32_t i = 0; i < nets; ++i) {
        std::vector<Route> routes = bench.routes(table, Bench::net(i));
        std::erase_if(routes, [](const Route& route) { return !route.usable(); });
        const auto found = known.find(Bench::net(i));
        if (routes.empty()) {
            REQUIRE(found == known.end());
            continue;
        }
        ++prefixes;
        REQUIRE(found != known.end());
        const auto& told = found->second->routes;
        REQUIRE(told.front().first == routes.front().source);
        REQUIRE(told.front().second == routes.front().attributes);
        if (follower.mode() == ReadMode::best) continue;
        REQUIRE(told.size() == routes.size());
        for (std::size_t r = 0; r < routes.size(); ++r)
            REQUIRE(told[r] == std::pair(routes[r].source, routes[r].attributes));
    }
    REQUIRE(known.size() == prefixes);
}

/// Nothing beats the best route, and it is the one it was unless that is gone, changed or beaten.
void check_best(Bench& bench, Table& table, const net::Prefix& net, const Route* before) {
    const std::vector<Route> routes = bench.routes(table, net);
    for (const Route& route : routes)
        REQUIRE_FALSE(better(route, routes.front(), bench.sources));
    if (before == nullptr || routes.empty() || routes.front().source == before->source) return;
    for (const Route& route : routes) {
        const bool unchanged = route.source == before->source &&
                               route.attributes == before->attributes &&
                               route.preference == before->preference;
        if (unchanged && route.usable() == before->usable()) {
            REQUIRE(better(routes.front(), route, bench.sources));
        }
    }
}

}  // namespace

TEST_CASE("a reader is fed the whole table, then follows its changes") {
    Bench bench(1);
    Table& table = bench.table();
    const SourceId source = bench.source(bench.owner("a"), 0);
    for (std::uint32_t i = 0; i < 100; ++i)
        bench.put(table, Bench::net(i), bench.route(source, 1));
    Follower follower(bench, table, ReadMode::best);
    unsigned ends = 0;
    for (;;) {
        const Progress progress = follower.read(10);
        if (progress == Progress::end_of_feed) ++ends;
        if (progress == Progress::idle) break;
    }
    CHECK(ends == 1);
    CHECK(follower.known().size() == 100);
    CHECK(follower.told == 100);
    bench.put(table, Bench::net(5), bench.route(source, 2));
    bench.withdraw(table, Bench::net(6), source);
    bench.sim.settle();
    CHECK(follower.woken);
    follower.read_all();
    CHECK(follower.told == 102);
    check_equal(bench, table, follower, 100);
}

TEST_CASE("an idle reader is woken once, a busy one not at all") {
    Bench bench(2);
    Table& table = bench.table();
    const SourceId source = bench.source(bench.owner("a"), 0);
    Follower follower(bench, table, ReadMode::best);
    bench.put(table, Bench::net(0), bench.route(source, 1));
    bench.sim.settle();
    CHECK_FALSE(follower.woken);
    follower.read_all();
    bench.put(table, Bench::net(1), bench.route(source, 1));
    bench.sim.settle();
    CHECK(follower.woken);
    follower.woken = false;
    bench.put(table, Bench::net(2), bench.route(source, 1));
    bench.sim.settle();
    CHECK_FALSE(follower.woken);
    follower.read_all();
    check_equal(bench, table, follower, 3);
}

TEST_CASE("readers of best routes do not hear of other routes, readers of all do") {
    Bench bench(3);
    Table& table = bench.table();
    SourceOwner& owner = bench.owner("a");
    Follower best(bench, table, ReadMode::best);
    Follower all(bench, table, ReadMode::all);
    bench.put(table, Bench::net(0), bench.route(bench.source(owner, 0), 1));
    best.read_all();
    all.read_all();
    bench.put(table, Bench::net(0), bench.route(bench.source(owner, 1), 9));
    best.read_all();
    all.read_all();
    CHECK(best.told == 1);
    CHECK(all.told == 2);
    CHECK(all.known().begin()->second.routes.size() == 2);
}

TEST_CASE("a prefix that changed several times unseen is looked at once, in whatever batches") {
    Bench bench(9);
    Table& table = bench.table();
    const SourceId source = bench.source(bench.owner("a"), 0);
    Follower follower(bench, table, ReadMode::best);
    for (std::uint32_t i = 0; i < 4; ++i)
        bench.put(table, Bench::net(i), bench.route(source, 1));
    follower.read_all();
    REQUIRE(follower.told == 4);
    for (std::uint32_t metric = 2; metric < 5; ++metric) {
        for (std::uint32_t i = 0; i < 4; ++i)
            bench.put(table, Bench::net(i), bench.route(source, metric));
    }
    follower.read(3);
    bench.put(table, Bench::net(0), bench.route(source, 9));  // behind the reader: news
    follower.read_all();
    CHECK(follower.told == 9);
    check_equal(bench, table, follower, 4);
}

TEST_CASE("a prefix that comes and goes unseen is not reported") {
    Bench bench(4);
    Table& table = bench.table();
    const SourceId source = bench.source(bench.owner("a"), 0);
    Follower follower(bench, table, ReadMode::best);
    follower.read_all();
    bench.put(table, Bench::net(0), bench.route(source, 1));
    bench.withdraw(table, Bench::net(0), source);
    follower.read_all();
    CHECK(follower.told == 0);
}

TEST_CASE("a route that becomes filtered is gone for readers") {
    Bench bench(5);
    Table& table = bench.table();
    const SourceId source = bench.source(bench.owner("a"), 0);
    Follower follower(bench, table, ReadMode::best);
    RouteValue route = bench.route(source, 1);
    bench.put(table, Bench::net(0), route);
    follower.read_all();
    CHECK(follower.known().size() == 1);
    route.flags = route_filtered;
    bench.put(table, Bench::net(0), route);
    follower.read_all();
    CHECK(follower.known().empty());
}

TEST_CASE("ids of dead prefixes are kept until every reader has passed them") {
    Bench bench(6);
    Table& table = bench.table({.name = "t", .release_threshold = 1});
    const SourceId source = bench.source(bench.owner("a"), 0);
    Follower fast(bench, table, ReadMode::best);
    auto slow = std::make_unique<Follower>(bench, table, ReadMode::best);
    bench.put(table, Bench::net(0), bench.route(source, 1));
    fast.read_all();
    slow->read_all();
    bench.withdraw(table, Bench::net(0), source);
    fast.read_all();
    CHECK(bench.index.stats().prefixes == 1);
    slow->read_all();
    CHECK(slow->known().empty());
    CHECK(bench.index.stats().prefixes == 0);

    bench.put(table, Bench::net(1), bench.route(source, 1));
    bench.withdraw(table, Bench::net(1), source);
    fast.read_all();
    CHECK(bench.index.stats().prefixes == 1);
    slow.reset();
    CHECK(bench.index.stats().prefixes == 0);
}

TEST_CASE("a reader that falls off the journal feeds anew and ends up right") {
    Bench bench(7);
    Table& table = bench.table({.name = "t", .journal_limit = 4096});
    const SourceId source = bench.source(bench.owner("a"), 0);
    constexpr std::uint32_t nets = 500;
    for (std::uint32_t i = 0; i < nets; ++i)
        bench.put(table, Bench::net(i), bench.route(source, 1));
    Follower follower(bench, table, ReadMode::best);
    follower.read_all();
    for (std::uint32_t i = 0; i < 20 * nets; ++i)
        bench.put(table, Bench::net(i % nets), bench.route(source, 2 + i / nets));
    for (std::uint32_t i = 0; i < nets; i += 2)
        bench.withdraw(table, Bench::net(i), source);
    follower.read_all();
    CHECK(follower.reader().fell_off() == 1);
    check_equal(bench, table, follower, nets);
}

TEST_CASE("feeding again reports everything that is there once more") {
    Bench bench(8);
    Table& table = bench.table();
    const SourceId source = bench.source(bench.owner("a"), 0);
    for (std::uint32_t i = 0; i < 50; ++i)
        bench.put(table, Bench::net(i), bench.route(source, 1));
    Follower follower(bench, table, ReadMode::best);
    follower.read_all();
    follower.reader().feed_again();
    bench.sim.settle();
    CHECK(follower.woken);
    follower.read_all();
    CHECK(follower.told == 100);
}

TEST_CASE("random changes with readers of any speed agree with the table") {
    const std::uint64_t seed = GENERATE(1, 2, 3, 4, 5, 6, 7, 8);
    CAPTURE(seed);
    Bench bench(seed);
    Random random(seed);
    constexpr std::uint32_t nets = 300;
    Table& table = bench.table({.name = "t",
                                .sorted = seed % 2 == 0,
                                .journal_limit = 4096,
                                .release_threshold = 1 + random.below(50)});
    SourceOwner& owner = bench.owner("a");
    std::vector<SourceId> sources;
    for (std::uint32_t i = 0; i < 4; ++i)
        sources.push_back(bench.source(owner, i));
    std::deque<std::unique_ptr<Follower>> followers;
    for (unsigned step = 0; step < 30000; ++step) {
        const net::Prefix net = Bench::net(static_cast<std::uint32_t>(random.below(nets)));
        const SourceId source = sources[random.below(sources.size())];
        const std::vector<Route> before = bench.routes(table, net);
        if (random.one_in(3)) {
            bench.withdraw(table, net, source);
        } else {
            RouteValue route = bench.route(source, static_cast<std::uint32_t>(1 + random.below(4)));
            if (random.one_in(10)) route.flags = route_filtered;
            if (random.one_in(5)) route.preference = 90;
            bench.put(table, net, route);
        }
        check_best(bench, table, net, before.empty() ? nullptr : &before.front());
        if (followers.size() < 5 && random.one_in(500)) {
            const ReadMode mode = random.one_in(2) ? ReadMode::all : ReadMode::best;
            followers.push_back(std::make_unique<Follower>(bench, table, mode));
        }
        for (std::size_t i = 0; i < followers.size(); ++i) {
            // The first ones read often, the last ones fall off now and then.
            if (random.one_in(1 + 20 * i * i * i)) followers[i]->read(1 + random.below(50));
        }
        if (!followers.empty() && random.one_in(3000)) {
            followers.erase(followers.begin() +
                            static_cast<std::ptrdiff_t>(random.below(followers.size())));
        }
        if (!followers.empty() && random.one_in(2000)) followers.back()->reader().feed_again();
    }
    for (const auto& follower : followers) {
        follower->read_all();
        check_equal(bench, table, *follower, nets);
    }
    followers.clear();
    for (std::uint32_t i = 0; i < nets; ++i) {
        for (const SourceId source : sources)
            bench.withdraw(table, Bench::net(i), source);
    }
    CHECK(table.counters().routes == 0);
    CHECK(bench.index.stats().prefixes == 0);
    CHECK(owner.preferred(net::NetType::ip4) == 0);
}

}  // namespace tern::table
