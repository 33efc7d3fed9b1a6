// The device protocol on the interfaces of the machine that runs the test; it has at least `lo`.
#include "router/proto/device/device.h"

#include "router/engine/testing.h"

#include <map>

namespace tern::device {
namespace {

struct DeviceRouter : engine::testing::TestRouter {
    DeviceRouter() : TestRouter(1, {&descriptor()}) {
        apply("protocol device d { }");
        const locking::TransitLock lock(main);
        subscriber.emplace(interfaces, event, sim.runtime().main_loop());
    }

    ~DeviceRouter() override {
        const locking::TransitLock lock(main);
        subscriber.reset();
        event.cancel();
    }

    std::vector<iface::Change> heard() {
        const locking::TransitLock lock(main);
        return subscriber->take(1000);
    }

    void disable() {
        order(
            [](engine::Supervisor& s) { CHECK(s.disable("d", "") == engine::OrderResult::done); });
        run();
    }

    void enable() {
        order([](engine::Supervisor& s) { CHECK(s.enable("d", "") == engine::OrderResult::done); });
        run();
    }

    loops::Event event{[](void*, loops::Turn&) {}, nullptr};
    std::optional<iface::Subscriber> subscriber;
};

/// What is there, by name: the number of its addresses.
using Picture = std::map<std::string, std::size_t>;

Picture picture(const std::vector<iface::Change>& changes) {
    Picture result;
    for (const iface::Change& change : changes) {
        CHECK(change.has(iface::change_added));
        result[change.after->name] = change.after->addresses.size();
    }
    return result;
}

}  // namespace

TEST_CASE("when it stops, every listener is told of each interface with all its addresses",
          "[AT-IF-7]") {
    DeviceRouter router;
    const Picture before = picture(router.heard());
    REQUIRE(before.count("lo") == 1);
    router.disable();
    Picture gone;
    for (const iface::Change& change : router.heard()) {
        CHECK(change.has(iface::change_removed));
        CHECK(change.has(iface::change_down) == change.before->admin_up);
        CHECK_FALSE(change.after);
        gone[change.before->name] = change.before->addresses.size();
    }
    CHECK(gone == before);
    CHECK(router.interfaces.size() == 0);
}

TEST_CASE("when it starts again, every interface is told anew", "[AT-IF-10]") {
    DeviceRouter router;
    const Picture before = picture(router.heard());
    router.disable();
    CHECK_FALSE(router.heard().empty());
    router.enable();
    CHECK(picture(router.heard()) == before);
}

}  // namespace tern::device
