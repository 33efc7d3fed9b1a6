#include "router/iface/registry.h"

#include "locking/domain.h"
#include "loops/loop.h"
#include "loops/runtime.h"
#include "router/base/lock_order.h"
#include "router/iface/testing.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::iface {
namespace {

using testing::Host;

template <class Queue>
std::vector<Change> drain(Queue& subscriber) {
    std::vector<Change> all;
    while (true) {
        std::vector<Change> some = subscriber.take(7);
        if (some.empty()) return all;
        all.insert(all.end(), some.begin(), some.end());
    }
}

/// A subscriber that keeps each change for itself, as a plain queue of notifications would.
class PlainQueue {
  public:
    PlainQueue(Registry& registry, loops::Event& event, loops::Loop& loop)
        : subscriber_(registry, event, loop) {}

    [[nodiscard]] std::size_t pending() {
        for (Change& change : subscriber_.take(SIZE_MAX))
            changes_.push_back(std::move(change));
        return changes_.size();
    }

    [[nodiscard]] std::vector<Change> take(std::size_t count) {
        const std::size_t taken = std::min(count, pending());
        const auto end = changes_.begin() + static_cast<std::ptrdiff_t>(taken);
        std::vector<Change> result(changes_.begin(), end);
        changes_.erase(changes_.begin(), end);
        return result;
    }

  private:
    Subscriber subscriber_;
    std::vector<Change> changes_;
};

/// One of two interfaces goes up and down, and nobody takes the changes. Whether they are at most
/// one for each interface all the time, and the last one tells the final state.
template <class Queue>
bool stays_small(int flaps) {
    Host host;
    host.add(1, "eth0");
    host.add(2, "eth1");
    Queue subscriber(host.registry, host.event, host.loop());
    drain(subscriber);
    std::size_t most = 0;
    for (int i = 0; i < flaps; ++i) {
        host.set_up(1, "eth0", i % 2 == 0);
        most = std::max(most, subscriber.pending());
    }
    const std::vector<Change> changes = drain(subscriber);
    CHECK(changes.back().has(change_down));
    CHECK_FALSE(changes.back().after->up());
    return most <= 2 && changes.size() == 1;
}

/// A host whose registry keeps interfaces that have gone, as ones that are down.
struct KeepingHost : Host {
    void remove(InterfaceIndex index) { set_up(index, registry.find(index)->name, false); }
};

/// So many interfaces are made and removed again; whether nothing is left of them.
template <class H>
bool leaves_nothing(InterfaceIndex count) {
    H host;
    Subscriber subscriber(host.registry, host.event, host.loop());
    for (InterfaceIndex i = 1; i <= count; ++i) {
        host.add(i, "veth" + std::to_string(i));
        if (i % 100 == 0) drain(subscriber);
    }
    const std::string last = "veth" + std::to_string(count);
    CHECK(host.registry.find(last)->index == count);
    for (InterfaceIndex i = 1; i <= count; ++i)
        host.remove(i);
    drain(subscriber);
    CHECK(subscriber.pending() == 0);
    return host.registry.size() == 0 && !host.registry.find(last);
}

}  // namespace

TEST_CASE("a new subscriber first gets the whole present state in order of index", "[AT-IF-1]") {
    Host host;
    host.add(3, "eth3");
    host.add(1, "lo");
    host.add(2, "eth2");
    Subscriber subscriber(host.registry, host.event, host.loop());
    CHECK(host.event.queued());
    const std::vector<Change> changes = drain(subscriber);
    REQUIRE(changes.size() == 3);
    CHECK(changes[0].after->name == "lo");
    CHECK(changes[1].after->name == "eth2");
    CHECK(changes[2].after->name == "eth3");
    CHECK(changes[0].has(change_added));
    CHECK(changes[0].has(change_up));
}

TEST_CASE("changes of one batch arrive once and in the order of their first change", "[AT-IF-1]") {
    Host host;
    Subscriber subscriber(host.registry, host.event, host.loop());
    host.add(5, "b");
    host.add(4, "a");
    {
        Registry::Update update(host.registry, host.preferences);
        LinkInfo link = host.link(5, "b");
        link.mtu = 9000;
        update.link(link);
        update.address(5, host.address("192.0.2.1", 24));
    }
    const std::vector<Change> changes = drain(subscriber);
    REQUIRE(changes.size() == 2);
    CHECK(changes[0].after->name == "b");
    CHECK(changes[0].after->mtu == 9000);
    CHECK(changes[0].after->addresses.size() == 1);
    CHECK(changes[1].after->name == "a");
}

TEST_CASE("a slow subscriber holds at most one note per interface and ends in the final state",
          "[AT-IF-2]") {
    CHECK(stays_small<Subscriber>(1'000'000));
    CHECK_FALSE(stays_small<PlainQueue>(1000));
}

TEST_CASE("an interface that was down for a moment is reported as flapped") {
    Host host;
    host.add(1, "eth0");
    Subscriber subscriber(host.registry, host.event, host.loop());
    drain(subscriber);
    host.set_up(1, "eth0", false);
    host.set_up(1, "eth0", true);
    const std::vector<Change> changes = drain(subscriber);
    REQUIRE(changes.size() == 1);
    CHECK(changes[0].flags == change_flapped);
}

TEST_CASE("an index used anew is a removal and an addition") {
    Host host;
    host.add(1, "eth0");
    Subscriber subscriber(host.registry, host.event, host.loop());
    drain(subscriber);
    host.remove(1);
    host.add(1, "tun0");
    const std::vector<Change> changes = drain(subscriber);
    REQUIRE(changes.size() == 2);
    CHECK(changes[0].has(change_removed));
    CHECK(changes[0].before->name == "eth0");
    CHECK(changes[1].has(change_added));
    CHECK(changes[1].after->name == "tun0");
}

TEST_CASE("the same name with another index is another interface") {
    Host host;
    host.add(1, "eth0");
    host.add(9, "eth0");
    CHECK_FALSE(host.registry.find(1));
    REQUIRE(host.registry.find("eth0"));
    CHECK(host.registry.find("eth0")->index == 9);
    CHECK(host.registry.size() == 1);
}

TEST_CASE("what came and went between two looks is not told") {
    Host host;
    Subscriber subscriber(host.registry, host.event, host.loop());
    host.add(1, "eth0");
    host.remove(1);
    CHECK(drain(subscriber).empty());
    CHECK(subscriber.pending() == 0);
}

TEST_CASE("a scan forgets what it did not see") {
    Host host;
    host.add(1, "eth0");
    host.add(2, "eth1");
    host.add_address(1, "192.0.2.1", 24);
    host.add_address(1, "198.51.100.1", 24);
    {
        Registry::Update update(host.registry, host.preferences);
        update.begin_scan();
        update.link(host.link(1, "eth0"));
        update.address(1, host.address("198.51.100.1", 24));
        update.end_scan();
    }
    CHECK_FALSE(host.registry.find(2));
    REQUIRE(host.registry.find(1));
    REQUIRE(host.registry.find(1)->addresses.size() == 1);
    CHECK(host.registry.find(1)->preferred(true)->ip.to_string() == "198.51.100.1");
}

TEST_CASE("a scan that sees nothing reports every interface gone") {
    Host host;
    host.add(1, "eth0");
    host.add(2, "eth1");
    host.add_address(1, "192.0.2.1", 24);
    Subscriber subscriber(host.registry, host.event, host.loop());
    drain(subscriber);
    {
        Registry::Update update(host.registry, host.preferences);
        update.begin_scan();
        update.end_scan();
    }
    const std::vector<Change> changes = drain(subscriber);
    CHECK(changes.size() == 2);
    for (const Change& change : changes) {
        CHECK(change.has(change_removed));
        CHECK(change.has(change_down));
    }
    CHECK(host.registry.size() == 0);
    CHECK_FALSE(host.registry.on_link(host.ip("192.0.2.7"), {}));
}

TEST_CASE("forty thousand interfaces come and go without leaving anything", "[AT-IF-4]") {
    CHECK(leaves_nothing<Host>(40'000));
    CHECK_FALSE(leaves_nothing<KeepingHost>(40));
}

TEST_CASE("the configured address is preferred over the kernel's first one") {
    Host host;
    host.add(1, "eth0");
    host.preferences = [](const Interface&) {
        PreferredAddresses wanted;
        wanted.ip4 = net::IpAddress::parse("192.0.2.2").value();
        return wanted;
    };
    host.add_address(1, "192.0.2.1", 24);
    CHECK(host.registry.find(1)->preferred(true)->ip.to_string() == "192.0.2.1");
    host.add_address(1, "192.0.2.2", 24);
    CHECK(host.registry.find(1)->preferred(true)->ip.to_string() == "192.0.2.2");
}

TEST_CASE("members of a VRF know their device, whichever came first") {
    Host host;
    LinkInfo member = host.link(1, "eth0");
    member.master = 7;
    host.apply(member);
    CHECK(host.registry.find(1)->vrf == 0);
    LinkInfo device = host.link(7, "red");
    device.kind = InterfaceKind::vrf;
    host.apply(device);
    CHECK(host.registry.find(1)->vrf == 7);
    CHECK(host.registry.find(1)->master_name == "red");
    host.remove(7);
    CHECK(host.registry.find(1)->vrf == 0);
}

TEST_CASE("random changes: a subscriber's picture is always a consistent past and ends right",
          "[AT-IF-1]") {
    std::mt19937 engine(20);  // NOLINT: the seed is part of the test
    const auto random = [&engine] { return static_cast<std::uint32_t>(engine()); };
    Host host;
    Subscriber subscriber(host.registry, host.event, host.loop());
    std::map<InterfaceIndex, std::uint64_t> picture;  // index to generation
    const auto look = [&](std::size_t count) {
        for (const Change& change : subscriber.take(count)) {
            const InterfaceIndex index = change.interface().index;
            if (change.has(change_added)) {
                CHECK(picture.count(index) == 0);
                picture[index] = change.after->generation;
            } else if (change.has(change_removed)) {
                REQUIRE(picture.count(index) == 1);
                CHECK(picture[index] == change.before->generation);
                picture.erase(index);
            } else {
                REQUIRE(picture.count(index) == 1);
                CHECK(picture[index] == change.after->generation);
            }
        }
    };
    for (int step = 0; step < 20000; ++step) {
        const InterfaceIndex index = 1 + random() % 9;
        const std::string name = "if" + std::to_string(random() % 9);
        switch (random() % 5) {
            case 0:
                host.remove(index);
                break;
            case 1:
                host.add(index, name);
                break;
            case 2:
                host.add_address(index, "10.0.0." + std::to_string(random() % 5), 24);
                break;
            case 3:
                look(random() % 4);
                break;
            default:
                host.set_up(index, name, random() % 2 == 0);
                break;
        }
    }
    while (subscriber.pending() != 0)
        look(5);
    CHECK(picture.size() == host.registry.size());
    for (const InterfaceRef& interface : host.registry.all()) {
        CHECK(picture[interface->index] == interface->generation);
    }
}

}  // namespace tern::iface
