#include "router/iface/neighbor.h"

#include "router/iface/testing.h"

#include <random>

#include <catch2/catch.hpp>

namespace tern::iface {
namespace {

using testing::Host;

}  // namespace

TEST_CASE("an address is on link where the longest network of an interface that is up covers it") {
    Host host;
    host.add(1, "eth0");
    host.add(2, "eth1");
    host.add_address(1, "10.0.0.1", 8);
    host.add_address(2, "10.1.0.1", 16);
    CHECK(host.registry.on_link(Host::ip("10.2.0.9"), {})->interface->name == "eth0");
    CHECK(host.registry.on_link(Host::ip("10.1.0.9"), {})->interface->name == "eth1");
    CHECK_FALSE(host.registry.on_link(Host::ip("11.0.0.1"), {}));
    CHECK(host.registry.on_link(Host::ip("10.1.0.1"), {})->is_local);
    CHECK_FALSE(host.registry.on_link(Host::ip("10.0.0.0"), {}));
    host.set_up(2, "eth1", false);
    CHECK(host.registry.on_link(Host::ip("10.1.0.9"), {})->interface->name == "eth0");
    Registry::Where second;
    second.index = 2;
    CHECK_FALSE(host.registry.on_link(Host::ip("10.1.0.9"), second));
}

TEST_CASE("of a point-to-point link only the other end is on link") {
    Host host;
    host.add(1, "ppp0");
    Address address = Host::address("10.0.0.1", 32);
    address.peer = true;
    address.host = false;
    address.opposite = Host::ip("10.0.0.2");
    address.prefix = net::Prefix::host(address.opposite);
    {
        Registry::Update update(host.registry, host.preferences);
        update.address(1, address);
    }
    CHECK(host.registry.on_link(Host::ip("10.0.0.2"), {}));
    CHECK(host.registry.on_link(Host::ip("10.0.0.1"), {})->is_local);
    CHECK_FALSE(host.registry.on_link(Host::ip("10.0.0.3"), {}));
}

TEST_CASE("link-local neighbours need their interface") {
    Host host;
    host.add(4, "eth0");
    host.add_address(4, "fe80::1", 64);
    CHECK_FALSE(host.registry.on_link(Host::ip("fe80::9"), {}));
    Registry::Where where;
    where.index = 4;
    const auto found = host.registry.on_link(Host::ip("fe80::9"), where);
    REQUIRE(found);
    CHECK(found->address.ip == Host::ip("fe80::1"));
}

TEST_CASE("a watch tells when its neighbour's link appears, goes and changes") {
    Host host;
    NeighborTable table(host.registry, host.loop());
    int calls = 0;
    NeighborKey key;
    key.address = Host::ip("192.0.2.9");
    const auto watch = table.watch(
        key, [](NeighborWatch&, void* context) { ++*static_cast<int*>(context); }, &calls);
    CHECK(watch->state() == NeighborState::absent);
    host.add(1, "eth0");
    table.refresh();
    CHECK(calls == 0);
    host.add_address(1, "192.0.2.1", 24);
    table.refresh();
    CHECK(calls == 1);
    CHECK(watch->state() == NeighborState::present);
    CHECK(watch->address().ip == Host::ip("192.0.2.1"));
    CHECK(watch->interface()->index == 1);
    host.set_up(1, "eth0", false);
    table.refresh();
    CHECK(calls == 2);
    CHECK(watch->state() == NeighborState::absent);
    CHECK_FALSE(watch->interface());
}

TEST_CASE("carrier counts only for watches that ask for it") {
    Host host;
    host.add(1, "eth0");
    host.add_address(1, "192.0.2.1", 24);
    NeighborTable table(host.registry, host.loop());
    NeighborKey key;
    key.address = Host::ip("192.0.2.9");
    const auto plain = table.watch(key, nullptr, nullptr);
    key.check_link = true;
    const auto careful = table.watch(key, nullptr, nullptr);
    LinkInfo dark = Host::link(1, "eth0");
    dark.link_up = false;
    host.apply(dark);
    table.refresh();
    CHECK(plain->state() == NeighborState::present);
    CHECK(careful->state() == NeighborState::absent);
}

TEST_CASE("an onlink neighbour needs only its interface, even one that does not exist yet") {
    Host host;
    NeighborTable table(host.registry, host.loop());
    NeighborKey key;
    key.address = Host::ip("203.0.113.1");
    key.interface = "eth0";
    key.on_link = true;
    const auto watch = table.watch(key, nullptr, nullptr);
    CHECK(watch->state() == NeighborState::absent);
    host.add(1, "eth0");
    table.refresh();
    CHECK(watch->state() == NeighborState::present);
}

TEST_CASE("a watcher may end its own watch and others") {
    Host host;
    NeighborTable table(host.registry, host.loop());

    struct Both {
        std::unique_ptr<NeighborWatch> one;
        std::unique_ptr<NeighborWatch> two;
    } both;

    NeighborKey key;
    key.address = Host::ip("192.0.2.9");
    const auto end = [](NeighborWatch&, void* context) {
        auto& watches = *static_cast<Both*>(context);
        watches.one.reset();
        watches.two.reset();
    };
    both.one = table.watch(key, end, &both);
    both.two = table.watch(key, end, &both);
    host.add(1, "eth0");
    host.add_address(1, "192.0.2.1", 24);
    table.refresh();
    CHECK(table.size() == 0);
}

TEST_CASE("random networks: the answer is that of a walk over all addresses") {
    std::mt19937 engine(7);  // NOLINT: the seed is part of the test
    const auto random = [&engine] { return static_cast<std::uint32_t>(engine()); };
    Host host;
    for (InterfaceIndex i = 1; i <= 8; ++i)
        host.add(i, "if" + std::to_string(i));
    for (int step = 0; step < 3000; ++step) {
        const InterfaceIndex index = 1 + random() % 8;
        const std::string text =
            "10.0." + std::to_string(random() % 4) + "." + std::to_string(1 + random() % 200);
        if (random() % 2 == 0) {
            host.add_address(index, text, 16 + random() % 9);
        } else {
            host.remove_address(index, text);
        }
        const net::IpAddress asked = net::IpAddress::v4(0x0a000000 | (random() % 1024));
        int best = -1;
        bool local = false;
        for (const InterfaceRef& interface : host.registry.all()) {
            for (const Address& address : interface->addresses) {
                local = local || address.ip == asked;
                if (!address.prefix.contains(asked) || address.prefix.address() == asked) continue;
                best = std::max(best, static_cast<int>(address.prefix.length()));
            }
        }
        const auto found = host.registry.on_link(asked, {});
        CHECK(found.has_value() == (best >= 0 || local));
        if (found && !found->is_local) {
            CHECK(static_cast<int>(found->address.prefix.length()) == best);
        }
    }
}

}  // namespace tern::iface
