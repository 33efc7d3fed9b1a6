#include "router/iface/registry.h"

#include <algorithm>

namespace tern::iface {

Registry::Registry() = default;

Registry::~Registry() {
    TERN_ASSERT(subscribers_.empty(), "a subscriber outlives the interface store");
}

InterfaceRef Registry::find(InterfaceIndex index) const {
    const auto guard = domain_.lock_dynamic();
    const auto it = slots_.find(index);
    return it == slots_.end() ? InterfaceRef() : it->second.published;
}

InterfaceRef Registry::find(std::string_view name) const {
    const auto guard = domain_.lock_dynamic();
    const auto it = names_.find(std::string(name));
    if (it == names_.end()) return {};
    return slots_.at(it->second).published;
}

std::vector<InterfaceRef> Registry::all() const {
    std::vector<InterfaceRef> result;
    {
        const auto guard = domain_.lock_dynamic();
        result.reserve(slots_.size());
        for (const auto& [index, slot] : slots_) {
            if (slot.published) result.push_back(slot.published);
        }
    }
    std::sort(result.begin(), result.end(),
              [](const InterfaceRef& a, const InterfaceRef& b) { return a->index < b->index; });
    return result;
}

std::size_t Registry::size() const {
    const auto guard = domain_.lock_dynamic();
    return slots_.size();
}

bool Registry::fits(const Interface& interface, const Where& where) {
    if (!interface.up()) return false;
    if (where.index != 0 && interface.index != where.index) return false;
    return !where.vrf || *where.vrf == interface.vrf ||
           (*where.vrf != 0 && interface.index == *where.vrf);
}

std::optional<OnLink> Registry::link_local_on(const net::IpAddress& address,
                                              InterfaceIndex index) const {
    const auto it = slots_.find(index);
    if (it == slots_.end() || !it->second.published || !it->second.published->up()) return {};
    OnLink result;
    result.interface = it->second.published;
    if (const Address* own = result.interface->link_local()) result.address = *own;
    result.is_local = result.interface->find_address(address) != nullptr;
    return result;
}

std::optional<OnLink> Registry::covered(const net::IpAddress& address,
                                        const net::Prefix& network,
                                        const Where& where) const {
    const auto it = networks_.find(network);
    if (it == networks_.end()) return {};
    for (const InterfaceIndex index : it->second) {
        const InterfaceRef& interface = slots_.at(index).published;
        if (!fits(*interface, where)) continue;
        for (const Address& own : interface->addresses) {
            if (own.ip == address) return OnLink{interface, own, true};
            if (own.prefix != network) continue;
            if (own.peer && own.opposite == address) return OnLink{interface, own, false};
            if (own.peer || own.host) continue;
            // The first and the last address of an IPv4 network are nobody's (RFC 3021 for /31).
            if (address.is_v4() && network.length() < 31 &&
                (address == network.address() || address == own.broadcast)) {
                continue;
            }
            return OnLink{interface, own, false};
        }
    }
    return {};
}

std::optional<OnLink> Registry::on_link(const net::IpAddress& address, const Where& where) const {
    const auto guard = domain_.lock_dynamic();
    if (address.is_link_local()) return link_local_on(address, where.index);
    const auto& lengths = lengths_[address.is_v4() ? 0 : 1];
    for (unsigned length = address.bits() + 1; length-- > 0;) {
        if (lengths[length] == 0) continue;
        auto found = covered(address, net::Prefix::ip(address, length), where);
        if (found) return found;
    }
    return {};
}

void Registry::index_networks(const Interface& interface, bool add) {
    const auto change = [&](const net::Prefix& network) {
        auto& count = lengths_[network.is_v4() ? 0 : 1][network.length()];
        std::vector<InterfaceIndex>& indexes = networks_[network];
        if (add) {
            if (std::find(indexes.begin(), indexes.end(), interface.index) != indexes.end()) return;
            ++count;
            indexes.push_back(interface.index);
            std::sort(indexes.begin(), indexes.end());
            return;
        }
        count -= static_cast<std::uint32_t>(std::erase(indexes, interface.index));
        if (indexes.empty()) networks_.erase(network);
    };
    for (const Address& address : interface.addresses) {
        change(address.prefix);
        // Our own end of a point-to-point address lies outside of its prefix.
        if (address.peer) change(net::Prefix::host(address.ip));
    }
}

void Registry::note(Subscriber& subscriber, InterfaceIndex index, std::uint16_t passed) {
    Subscriber::Entry& entry = subscriber.entries_[index];
    entry.passed = static_cast<std::uint16_t>(entry.passed | passed);
    if (entry.waiting) return;
    entry.waiting = true;
    subscriber.queue_.push_back(index);
    subscriber.event_.send(subscriber.loop_);
}

void Registry::publish(const locking::Held<level::Interfaces>&,
                       InterfaceIndex index,
                       const InterfaceRef& before,
                       const InterfaceRef& after) {
    const std::uint16_t flags = difference(before.get(), after.get());
    if (before) index_networks(*before, false);
    if (after) index_networks(*after, true);
    epoch_.fetch_add(1, std::memory_order_acq_rel);
    for (Subscriber* subscriber : subscribers_)
        note(*subscriber, index, flags);
}

// ------------------------------------------------------------------------------------------------

Registry::Update::Update(Registry& registry, const Preferences& preferences)
    : registry_(registry), preferences_(preferences), guard_(registry.domain_.lock_dynamic()) {}

Registry::Update::~Update() {
    touch_members();
    for (const InterfaceIndex index : touched_) {
        const auto it = registry_.slots_.find(index);
        if (it != registry_.slots_.end() && it->second.dirty) finish(index, it->second);
    }
}

void Registry::Update::begin_scan() {
    for (auto& [index, slot] : registry_.slots_) {
        slot.seen = false;
        slot.seen_addresses.clear();
    }
}

void Registry::Update::end_scan() {
    std::vector<InterfaceIndex> gone;
    for (auto& [index, slot] : registry_.slots_) {
        if (!slot.seen) {
            gone.push_back(index);
            continue;
        }
        const auto& seen = slot.seen_addresses;
        const std::size_t removed =
            std::erase_if(slot.draft.addresses, [&seen](const Address& address) {
                return std::find(seen.begin(), seen.end(), address.ip) == seen.end();
            });
        if (removed != 0) touch(slot);
    }
    for (const InterfaceIndex index : gone)
        drop(index);
}

Registry::Slot& Registry::Update::touch(Slot& slot) {
    if (!slot.dirty) touched_.push_back(slot.draft.index);
    slot.dirty = true;
    return slot;
}

void Registry::Update::link(const LinkInfo& link) {
    TERN_ASSERT(link.index != 0);
    const auto same_name = registry_.names_.find(link.name);
    if (same_name != registry_.names_.end() && same_name->second != link.index) {
        drop(same_name->second);  // made anew while we did not look
    }
    const auto old = registry_.slots_.find(link.index);
    if (old != registry_.slots_.end() && old->second.draft.name != link.name) drop(link.index);
    const auto [it, fresh] = registry_.slots_.try_emplace(link.index);
    Slot& slot = it->second;
    slot.seen = true;
    if (fresh) {
        registry_.names_[link.name] = link.index;
        slot.draft.generation = ++registry_.generations_;
        slot.draft.index = link.index;
    }
    if (fresh || slot.draft.kind != link.kind) renamed_.push_back(link.index);
    LinkInfo& present = slot.draft;
    if (!fresh && present == link) return;
    registry_.members_.erase({present.master, link.index});
    if (link.master != 0) registry_.members_.emplace(link.master, link.index);
    present = link;
    touch(slot);
}

void Registry::Update::remove_link(InterfaceIndex index) {
    drop(index);
}

void Registry::Update::address(InterfaceIndex index, const Address& address) {
    const auto it = registry_.slots_.find(index);
    if (it == registry_.slots_.end()) return;
    Slot& slot = it->second;
    slot.seen_addresses.push_back(address.ip);
    for (Address& present : slot.draft.addresses) {
        if (present.ip != address.ip) continue;
        if (present == address) return;
        present = address;
        touch(slot);
        return;
    }
    slot.draft.addresses.push_back(address);
    touch(slot);
}

void Registry::Update::remove_address(InterfaceIndex index, const net::IpAddress& ip) {
    const auto it = registry_.slots_.find(index);
    if (it == registry_.slots_.end()) return;
    const std::size_t removed = std::erase_if(
        it->second.draft.addresses, [&ip](const Address& address) { return address.ip == ip; });
    if (removed != 0) touch(it->second);
}

void Registry::Update::touch_all() {
    for (auto& [index, slot] : registry_.slots_)
        touch(slot);
}

void Registry::Update::drop(InterfaceIndex index) {
    const auto it = registry_.slots_.find(index);
    if (it == registry_.slots_.end()) return;
    const auto name = registry_.names_.find(it->second.draft.name);
    if (name != registry_.names_.end() && name->second == index) registry_.names_.erase(name);
    const InterfaceRef before = it->second.published;
    registry_.members_.erase({it->second.draft.master, index});
    registry_.slots_.erase(it);
    renamed_.push_back(index);
    if (before) registry_.publish(guard_, index, before, {});
}

/// Members of a VRF or bridge show what their master is.
void Registry::Update::touch_members() {
    for (const InterfaceIndex master : renamed_) {
        auto member = registry_.members_.lower_bound({master, 0});
        for (; member != registry_.members_.end() && member->first == master; ++member)
            touch(registry_.slots_.at(member->second));
    }
}

void Registry::Update::choose_preferred(Interface& interface) const {
    interface.preferred_ip4 = -1;
    interface.preferred_ip6 = -1;
    interface.preferred_link_local = -1;
    PreferredAddresses wanted;
    if (preferences_) wanted = preferences_(interface);
    for (std::size_t i = 0; i < interface.addresses.size(); ++i) {
        const Address& address = interface.addresses[i];
        const bool link_local = address.ip.is_link_local();
        std::int32_t& chosen = address.ip.is_v4() ? interface.preferred_ip4
                               : link_local       ? interface.preferred_link_local
                                                  : interface.preferred_ip6;
        const net::IpAddress& configured = address.ip.is_v4() ? wanted.ip4
                                           : link_local       ? wanted.link_local
                                                              : wanted.ip6;
        if (address.ip == configured) {
            chosen = static_cast<std::int32_t>(i);
        } else if (chosen < 0 && !address.secondary) {
            chosen = static_cast<std::int32_t>(i);
        }
    }
}

void Registry::Update::finish(InterfaceIndex index, Slot& slot) {
    slot.dirty = false;
    Interface& draft = slot.draft;
    choose_preferred(draft);
    draft.vrf = 0;
    draft.master_name.clear();
    const auto master = registry_.slots_.find(draft.master);
    if (draft.master != 0 && master != registry_.slots_.end()) {
        draft.master_name = master->second.draft.name;
        if (master->second.draft.kind == InterfaceKind::vrf) draft.vrf = draft.master;
    }
    const InterfaceRef before = slot.published;
    slot.published = InterfaceRef::make(draft);
    registry_.publish(guard_, index, before, slot.published);
}

}  // namespace tern::iface
