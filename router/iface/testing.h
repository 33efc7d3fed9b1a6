#pragma once
/// A host with interfaces for the tests of this folder and of protocols that need one.
/// Owns a registry and a simulated loop to hang subscribers on; no thread, no kernel, no clock.
/// Each helper is one committed update, as a notification of the kernel would be.

#include "locking/domain.h"
#include "loops/event.h"
#include "loops/loop.h"
#include "loops/runtime.h"
#include "router/base/lock_order.h"
#include "router/iface/registry.h"

#include <string>
#include <string_view>

namespace tern::iface::testing {

class Host {
  public:
    Host() : runtime_({.main_domain = &domain_, .threads = false}) {}

    [[nodiscard]] loops::Loop& loop() { return runtime_.main_loop(); }

    [[nodiscard]] locking::Domain<level::Control>& domain() { return domain_; }

    [[nodiscard]] static net::IpAddress ip(std::string_view text) {
        return net::IpAddress::parse(text).value();
    }

    [[nodiscard]] static LinkInfo link(InterfaceIndex index, std::string_view name) {
        LinkInfo result;
        result.index = index;
        result.name = name;
        result.mtu = 1500;
        result.admin_up = true;
        result.link_up = true;
        result.broadcast = true;
        result.multicast = true;
        return result;
    }

    [[nodiscard]] static Address address(std::string_view text, unsigned length) {
        Address result;
        result.ip = ip(text);
        result.prefix = net::Prefix::ip(result.ip, length);
        result.scope = result.ip.scope();
        result.host = length == result.ip.bits();
        return result;
    }

    void apply(const LinkInfo& info) {
        Registry::Update update(registry, preferences);
        update.link(info);
    }

    void add(InterfaceIndex index, std::string_view name) { apply(link(index, name)); }

    void remove(InterfaceIndex index) {
        Registry::Update update(registry, preferences);
        update.remove_link(index);
    }

    void set_up(InterfaceIndex index, std::string_view name, bool up) {
        LinkInfo info = link(index, name);
        info.admin_up = up;
        apply(info);
    }

    void add_address(InterfaceIndex index, std::string_view text, unsigned length) {
        Registry::Update update(registry, preferences);
        update.address(index, address(text, length));
    }

    void remove_address(InterfaceIndex index, std::string_view text) {
        Registry::Update update(registry, preferences);
        update.remove_address(index, ip(text));
    }

  private:
    locking::Domain<level::Control> domain_{"main"};
    loops::Runtime runtime_;
    loops::LoopEntry entry_{runtime_.main_loop()};  // tests are one long turn of the main loop

  public:
    Registry registry;
    Registry::Update::Preferences preferences;
    loops::Event event{[](void*, loops::Turn&) {}, nullptr};
};

}  // namespace tern::iface::testing
