// The registry between loops: a writer and a listener, in one thread and in several.
#include "locking/domain.h"
#include "loops/loop.h"
#include "loops/runtime.h"
#include "router/base/lock_order.h"
#include "router/iface/registry.h"

#include <map>
#include <string>

#include <catch2/catch.hpp>

namespace tern::iface {
namespace {

constexpr InterfaceIndex interfaces = 4;
constexpr std::uint32_t rounds = 20000;

/// Changes all interfaces round by round. Name, MTU and address of each say the same number.
class Writer {
  public:
    Writer(Registry& registry, loops::Loop& loop) : registry_(registry), loop_(loop) {}

    void start() { event_.send(loop_); }

  private:
    void run(loops::Turn& turn) {
        while (number_ < rounds && !turn.out_of_time()) {
            ++number_;
            for (InterfaceIndex index = 1; index <= interfaces; ++index)
                write(index);
        }
        if (number_ < rounds) event_.send(loop_);
    }

    void write(InterfaceIndex index) {
        const Registry::Update::Preferences none;
        Registry::Update update(registry_, none);
        LinkInfo link;
        link.index = index;
        link.name = std::to_string(index) + "." + std::to_string(number_);
        link.mtu = number_;
        link.admin_up = link.link_up = true;
        update.link(link);
        update.remove_address(index, net::IpAddress::v4(number_ - 1));
        Address address;
        address.ip = net::IpAddress::v4(number_);
        address.prefix = net::Prefix::host(address.ip);
        update.address(index, address);
    }

    Registry& registry_;
    loops::Loop& loop_;
    loops::Event event_{loops::callback<&Writer::run>(*this)};
    std::uint32_t number_ = 0;
};

/// Looks at what it is told, a few changes at a time; quits when it has seen the last round.
class Listener {
  public:
    Listener(Registry& registry, loops::Loop& loop, loops::Runtime& runtime)
        : loop_(loop), runtime_(runtime), subscriber_(registry, event_, loop) {}

    [[nodiscard]] const std::map<InterfaceIndex, std::uint32_t>& picture() const {
        return picture_;
    }

    [[nodiscard]] unsigned broken() const { return broken_; }

  private:
    void run(loops::Turn&) {
        for (const Change& change : subscriber_.take(3)) {
            if (change.after) look(*change.after);  // a new name is a removal and an addition
        }
        if (subscriber_.pending() != 0) event_.send(loop_);
        for (InterfaceIndex index = 1; index <= interfaces; ++index) {
            if (picture_[index] != rounds) return;
        }
        runtime_.quit();
    }

    void look(const Interface& now) {
        std::uint32_t& last = picture_[now.index];
        const std::string name = std::to_string(now.index) + "." + std::to_string(now.mtu);
        const bool whole = now.name == name && now.addresses.size() == 1 &&
                           now.addresses.front().ip == net::IpAddress::v4(now.mtu);
        if (!whole || now.mtu <= last) ++broken_;
        last = now.mtu;
    }

    loops::Loop& loop_;
    loops::Runtime& runtime_;
    loops::Event event_{loops::callback<&Listener::run>(*this)};
    std::map<InterfaceIndex, std::uint32_t> picture_;
    unsigned broken_ = 0;
    Subscriber subscriber_;
};

struct Place {
    Place(loops::ThreadGroup& group, std::string_view name)
        : domain(name), loop(group, domain, name) {}

    locking::Domain<level::Protocol> domain;
    loops::Loop loop;
};

void check(const Listener& listener) {
    CHECK(listener.broken() == 0);
    for (InterfaceIndex index = 1; index <= interfaces; ++index)
        CHECK(listener.picture().at(index) == rounds);
}

template <class Level>
concept ReachedFromNotification = requires(locking::Held<level::Interfaces>& held,
                                           locking::Domain<Level>& domain) {
    domain.lock(held);
};

}  // namespace

TEST_CASE("a listener in another thread sees whole interfaces in order and ends right",
          "[AT-IF-3]") {
    locking::Domain<level::Control> main("main");
    loops::Runtime runtime({.main_domain = &main});
    loops::ThreadGroup& group = runtime.add_group({.threads = 2});
    Registry registry;
    Place writing(group, "writer");
    Place listening(group, "listener");
    Writer writer(registry, writing.loop);
    std::optional<Listener> listener;
    {
        const loops::LoopEntry entry(listening.loop);
        listener.emplace(registry, listening.loop, runtime);
    }
    writer.start();
    runtime.run();
    check(*listener);
    const loops::LoopEntry entry(listening.loop);
    listener.reset();
}

TEST_CASE("with one loop and no worker it is told the same", "[AT-IF-6]") {
    locking::Domain<level::Control> main("main");
    loops::Runtime runtime({.main_domain = &main});
    Registry registry;
    Writer writer(registry, runtime.main_loop());
    std::optional<Listener> listener;
    {
        const loops::LoopEntry entry(runtime.main_loop());
        listener.emplace(registry, runtime.main_loop(), runtime);
    }
    writer.start();
    runtime.run();
    check(*listener);
    const loops::LoopEntry entry(runtime.main_loop());
    listener.reset();
}

TEST_CASE("a notification cannot lock whoever listens", "[AT-IF-5]") {
    STATIC_REQUIRE_FALSE(ReachedFromNotification<level::Control>);
    STATIC_REQUIRE_FALSE(ReachedFromNotification<level::Service>);
    STATIC_REQUIRE_FALSE(ReachedFromNotification<level::Protocol>);
    STATIC_REQUIRE_FALSE(ReachedFromNotification<level::Table>);
    STATIC_REQUIRE_FALSE(ReachedFromNotification<level::Interfaces>);
    STATIC_REQUIRE(ReachedFromNotification<level::AttributeStore>);
}

}  // namespace tern::iface
