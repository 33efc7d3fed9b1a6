#include "router/proto/kernel/sync.h"

#include <map>
#include <random>

#include <catch2/catch.hpp>

namespace tern::kernel {
namespace {

constexpr std::uint32_t metric = 32;

net::PrefixId id(std::uint32_t number) {
    return net::PrefixId{number};
}

net::Prefix prefix(std::uint32_t number) {
    return net::Prefix::ip4(0x0a000000 + (number << 8), 24);
}

Installed route(std::uint32_t fingerprint) {
    return {fingerprint, metric, 0};
}

/// Past the first scan, which found nothing.
Sync started() {
    Sync sync(metric);
    sync.begin_scan();
    CHECK_FALSE(sync.end_scan());
    CHECK(sync.end_resync().empty());
    return sync;
}

}  // namespace

TEST_CASE("new routes are added, changed ones replaced, equal ones left alone") {
    Sync sync = started();
    CHECK(sync.want(id(1), prefix(1), route(7), true).action == Action::add);
    CHECK(sync.want(id(1), prefix(1), route(7), true).action == Action::nothing);
    CHECK(sync.want(id(1), prefix(1), route(8), true).action == Action::replace);
    CHECK(sync.want(id(1), prefix(1), route(9), false).action == Action::remove_and_add);
    CHECK(sync.installed() == 1);
    CHECK(sync.withdraw(id(1)) == metric);
    CHECK_FALSE(sync.withdraw(id(1)));
    CHECK(sync.installed() == 0);
}

TEST_CASE("another metric needs a removal with the old one") {
    Sync sync = started();
    sync.want(id(1), prefix(1), route(7), true);
    const Order order = sync.want(id(1), prefix(1), {7, 50, 0}, true);
    CHECK(order.action == Action::remove_and_add);
    CHECK(order.old_metric == metric);
    CHECK(sync.withdraw(id(1)) == 50);
}

TEST_CASE("other attributes alone are written too") {
    Sync sync = started();
    sync.want(id(1), prefix(1), route(7), true);
    CHECK(sync.want(id(1), prefix(1), {7, metric, 99}, true).action == Action::replace);
    CHECK(sync.want(id(1), prefix(1), {7, metric, 99}, true).action == Action::nothing);
}

TEST_CASE("routes of an earlier life are taken over, corrected or removed") {
    Sync sync(metric);
    sync.begin_scan();
    CHECK(sync.seen(std::nullopt, prefix(1), route(7)));
    CHECK(sync.seen(std::nullopt, prefix(2), route(7)));
    CHECK(sync.seen(std::nullopt, prefix(3), route(7)));
    CHECK_FALSE(sync.seen(std::nullopt, prefix(3), {7, 50, 0}));
    CHECK_FALSE(sync.first_scan_done());
    CHECK_FALSE(sync.end_scan());
    CHECK(sync.first_scan_done());
    CHECK(sync.want(id(1), prefix(1), route(7), true).action == Action::nothing);
    CHECK(sync.want(id(2), prefix(2), route(8), true).action == Action::replace);
    CHECK(sync.want(id(4), prefix(4), route(8), true).action == Action::add);
    const std::vector<Stray> strays = sync.end_resync();
    REQUIRE(strays.size() == 1);
    CHECK(strays[0].prefix == prefix(3));
    CHECK(sync.installed() == 3);
}

TEST_CASE("a scan that finds everything asks for nothing") {
    Sync sync = started();
    sync.want(id(1), prefix(1), route(7), true);
    sync.begin_scan();
    CHECK(sync.seen(id(1), prefix(1), route(7)));
    CHECK_FALSE(sync.end_scan());
    CHECK_FALSE(sync.resyncing());
}

TEST_CASE("missing and different routes are written again after a scan, and nothing else") {
    Sync sync = started();
    for (std::uint32_t i = 1; i <= 3; ++i)
        sync.want(id(i), prefix(i), route(7), true);
    sync.begin_scan();
    CHECK(sync.seen(id(1), prefix(1), route(7)));
    CHECK(sync.seen(id(2), prefix(2), route(99)));
    CHECK(sync.end_scan());
    CHECK(sync.want(id(1), prefix(1), route(7), true).action == Action::nothing);
    CHECK(sync.want(id(2), prefix(2), route(7), true).action == Action::replace);
    CHECK(sync.want(id(3), prefix(3), route(7), true).action == Action::replace);
    CHECK(sync.end_resync().empty());
    CHECK(sync.want(id(3), prefix(3), route(7), true).action == Action::nothing);
}

TEST_CASE("routes of ours that nobody wants are removed when a scan finds them") {
    Sync sync = started();
    sync.begin_scan();
    CHECK_FALSE(sync.seen(std::nullopt, prefix(5), route(7)));
    CHECK_FALSE(sync.seen(id(5), prefix(5), route(7)));
}

TEST_CASE("changes during a scan do not make it look incomplete") {
    Sync sync = started();
    sync.want(id(1), prefix(1), route(7), true);
    sync.want(id(2), prefix(2), route(7), true);
    sync.begin_scan();
    CHECK(sync.seen(id(1), prefix(1), route(7)));
    CHECK(sync.seen(id(2), prefix(2), route(7)));
    sync.want(id(3), prefix(3), route(7), true);
    CHECK(sync.withdraw(id(2)) == metric);
    CHECK_FALSE(sync.end_scan());
}

TEST_CASE("a refused route is tried again at the next scan, not before") {
    Sync sync = started();
    CHECK(sync.want(id(1), prefix(1), route(7), true).action == Action::add);
    sync.refused(id(1), route(7), true);
    CHECK(sync.installed() == 0);
    CHECK(sync.want(id(1), prefix(1), route(7), true).action == Action::nothing);
    sync.begin_scan();
    CHECK(sync.end_scan());
    CHECK(sync.want(id(1), prefix(1), route(7), true).action == Action::add);
    CHECK(sync.accepted(id(1)));
    CHECK(sync.end_resync().empty());
    CHECK(sync.refusals() == 0);
    CHECK(sync.installed() == 1);
}

TEST_CASE("after a refused replacement the old route is still ours to remove") {
    Sync sync = started();
    sync.want(id(1), prefix(1), route(7), true);
    CHECK(sync.want(id(1), prefix(1), route(8), true).action == Action::replace);
    sync.refused(id(1), route(8), false);
    CHECK(sync.withdraw(id(1)) == metric);
    CHECK(sync.want(id(2), prefix(2), route(8), true).action == Action::add);
    sync.refused(id(2), route(8), true);
    CHECK_FALSE(sync.withdraw(id(2)));
}

TEST_CASE("random changes, losses and scans: kernel and wishes agree after every scan") {
    std::mt19937 engine(3);  // NOLINT: the seed is part of the test
    const auto random = [&engine](std::uint32_t below) {
        return static_cast<std::uint32_t>(engine()) % below;
    };
    Sync sync = started();
    std::map<std::uint32_t, std::uint32_t> kernel;
    std::map<std::uint32_t, std::uint32_t> wanted;
    const auto write = [&](std::uint32_t n) {
        const Order order = sync.want(id(n), prefix(n), route(wanted[n]), random(2) == 0);
        if (order.action == Action::add) CHECK(kernel.count(n) == 0);
        if (order.action != Action::nothing) kernel[n] = wanted[n];
    };
    for (int step = 0; step < 20000; ++step) {
        const std::uint32_t n = 1 + random(20);
        switch (random(6)) {
            case 0:
            case 1:
                wanted[n] = 1 + random(3);
                write(n);
                break;
            case 2:
                if (wanted.erase(n) != 0 && sync.withdraw(id(n))) kernel.erase(n);
                break;
            case 3:
                kernel.erase(n);
                break;  // an operator
            case 4:
                if (kernel.count(n) != 0) kernel[n] = 1 + random(3);
                break;
            default: {
                sync.begin_scan();
                const auto copy = kernel;
                for (const auto& [number, fingerprint] : copy) {
                    if (!sync.seen(id(number), prefix(number), route(fingerprint))) {
                        kernel.erase(number);
                    }
                }
                if (sync.end_scan()) {
                    for (const auto& entry : wanted)
                        write(entry.first);
                    CHECK(sync.end_resync().empty());
                }
                CHECK(kernel == wanted);
                break;
            }
        }
    }
}

}  // namespace tern::kernel
