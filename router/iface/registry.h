#pragma once
/// The store of the host's interfaces. The device protocol writes, everyone else reads or
/// subscribes. Owned by the router. Its domain (level interfaces) lies inside those of protocols
/// and tables, so any of them may ask it; it never calls out: subscribers get an event in their own
/// loop and fetch their changes. A subscriber first gets the whole present state, then changes, one
/// per interface however often it changed in between, so a slow subscriber costs at most one note
/// per interface.

#include "locking/domain.h"
#include "loops/event.h"
#include "loops/loop.h"
#include "router/base/lock_order.h"
#include "router/iface/interface.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace tern::iface {

/// What happened since the subscriber's last look. Combined as bits.
enum ChangeFlag : std::uint16_t {
    change_added = 1,       ///< new to the subscriber
    change_removed = 2,     ///< gone; only `before` is set
    change_up = 4,          ///< administratively up, and was not
    change_down = 8,        ///< not up any more
    change_link_up = 16,    ///< carrier came
    change_link_down = 32,  ///< carrier went
    change_mtu = 64,
    change_master = 128,
    change_addresses = 256,  ///< the list or one of the preferred ones differs
    change_preferred = 512,  ///< one of the preferred ones differs
    change_other = 1024,
    change_flapped = 2048,  ///< it was down or without carrier for a moment in between
};

/// One note. `before` is what the subscriber was told last, `after` the present state.
struct Change {
    std::uint16_t flags = 0;
    InterfaceRef before;
    InterfaceRef after;

    [[nodiscard]] bool has(ChangeFlag flag) const { return (flags & flag) != 0; }

    [[nodiscard]] const Interface& interface() const { return after ? *after : *before; }
};

/// The flags that tell two states apart. Pure.
[[nodiscard]] std::uint16_t difference(const Interface* before, const Interface* after);

class Registry;

/// A listener to changes. Owned by its user, used in the user's loop; destroying it drops the rest.
class Subscriber {
  public:
    /// `event` is sent to `loop` whenever `take` has something to give.
    Subscriber(Registry& registry, loops::Event& event, loops::Loop& loop);
    Subscriber(const Subscriber&) = delete;
    Subscriber& operator=(const Subscriber&) = delete;
    ~Subscriber();

    /// Up to `count` changes in order. An index that was used anew gives a removal and an addition.
    [[nodiscard]] std::vector<Change> take(std::size_t count);
    /// Notes waiting; at most one per interface known or told of.
    [[nodiscard]] std::size_t pending() const;

  private:
    friend class Registry;

    struct Entry {
        InterfaceRef told;
        bool waiting = false;
        std::uint16_t passed = 0;  // transient flags seen since the last delivery
    };

    Registry& registry_;
    loops::Event& event_;
    loops::Loop& loop_;
    // Guarded by the registry's domain.
    std::unordered_map<InterfaceIndex, Entry> entries_;
    std::deque<InterfaceIndex> queue_;
};

/// Where an address is on link.
struct OnLink {
    InterfaceRef interface;
    Address address;        ///< the interface's address that covers it
    bool is_local = false;  ///< it is an address of our own
};

class Registry {
  public:
    Registry();
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;
    ~Registry();

    [[nodiscard]] InterfaceRef find(InterfaceIndex index) const;
    [[nodiscard]] InterfaceRef find(std::string_view name) const;
    /// All of them, by index.
    [[nodiscard]] std::vector<InterfaceRef> all() const;
    [[nodiscard]] std::size_t size() const;

    /// Changes with every publication; lets a cache know that it is still right.
    [[nodiscard]] std::uint64_t epoch() const { return epoch_.load(std::memory_order_acquire); }

    /// The interface (up) whose network holds the address, longest prefix first. `vrf`: nullopt
    /// any, 0 interfaces in no VRF, else members of that VRF. Link-local addresses need `index`.
    struct Where {
        InterfaceIndex index = 0;  ///< only this interface; 0: any
        std::optional<InterfaceIndex> vrf;
    };

    [[nodiscard]] std::optional<OnLink> on_link(const net::IpAddress& address,
                                                const Where& where) const;

    class Update;

  private:
    friend class Subscriber;
    friend class Update;

    struct Slot {
        InterfaceRef published;
        Interface draft;
        bool dirty = false;
        bool seen = false;
        std::vector<net::IpAddress> seen_addresses;  // during a scan
    };

    using Slots = std::unordered_map<InterfaceIndex, Slot>;

    /// The token is a promise to readers: from here no protocol can be locked.
    void publish(const locking::Held<level::Interfaces>&,
                 InterfaceIndex index,
                 const InterfaceRef& before,
                 const InterfaceRef& after);
    static void note(Subscriber& subscriber, InterfaceIndex index, std::uint16_t passed);
    void index_networks(const Interface& interface, bool add);
    [[nodiscard]] static bool fits(const Interface& interface, const Where& where);
    [[nodiscard]] std::optional<OnLink> link_local_on(const net::IpAddress& address,
                                                      InterfaceIndex index) const;
    [[nodiscard]] std::optional<OnLink> covered(const net::IpAddress& address,
                                                const net::Prefix& network,
                                                const Where& where) const;

    mutable locking::Domain<level::Interfaces> domain_{"interfaces"};
    std::atomic<std::uint64_t> epoch_{1};
    // Everything below is guarded by domain_.
    Slots slots_;
    std::unordered_map<std::string, InterfaceIndex> names_;
    std::set<std::pair<InterfaceIndex, InterfaceIndex>> members_;  // (master, member)
    std::map<net::Prefix, std::vector<InterfaceIndex>> networks_;
    std::uint32_t lengths_[2][129] = {};  // networks per family (ip4, ip6) and length
    std::vector<Subscriber*> subscribers_;
    std::uint64_t generations_ = 0;
};

/// Write access for one batch of kernel news. Holds the domain; at its end every touched interface
/// is published once and subscribers are woken once. A scan forgets what it has not seen.
class Registry::Update {
  public:
    using Preferences = std::function<PreferredAddresses(const Interface&)>;

    /// `preferences` (may be empty) says which addresses are preferred by configuration.
    Update(Registry& registry, const Preferences& preferences);
    Update(const Update&) = delete;
    Update& operator=(const Update&) = delete;
    ~Update();

    void begin_scan();
    /// Removes links and addresses not mentioned since `begin_scan`.
    void end_scan();
    void link(const LinkInfo& link);
    void remove_link(InterfaceIndex index);
    /// Unknown interfaces are ignored: their link message comes first, or at the next scan.
    void address(InterfaceIndex index, const Address& address);
    void remove_address(InterfaceIndex index, const net::IpAddress& ip);
    /// Recomputes preferred addresses everywhere (changed configuration).
    void touch_all();

  private:
    Slot& touch(Slot& slot);
    void choose_preferred(Interface& interface) const;
    void touch_members();
    void finish(InterfaceIndex index, Slot& slot);
    void drop(InterfaceIndex index);

    Registry& registry_;
    const Preferences& preferences_;
    locking::Guard<level::Interfaces> guard_;
    std::vector<InterfaceIndex> touched_;
    std::vector<InterfaceIndex> renamed_;  // may be masters whose members show their name
};

}  // namespace tern::iface
