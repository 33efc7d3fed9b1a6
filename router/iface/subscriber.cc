#include "router/iface/registry.h"

#include <algorithm>

namespace tern::iface {
namespace {

constexpr std::uint16_t interruptions = change_down | change_link_down;

bool same_preferred(const Interface& a, const Interface& b, bool v4) {
    const Address* const one = a.preferred(v4);
    const Address* const two = b.preferred(v4);
    if (one == nullptr || two == nullptr) return one == two;
    return one->ip == two->ip;
}

bool same_link_local(const Interface& a, const Interface& b) {
    const Address* const one = a.link_local();
    const Address* const two = b.link_local();
    if (one == nullptr || two == nullptr) return one == two;
    return one->ip == two->ip;
}

}  // namespace

std::uint16_t difference(const Interface* before, const Interface* after) {
    if (before == nullptr && after == nullptr) return 0;
    if (before == nullptr) {
        unsigned flags = change_added;
        if (after->admin_up) flags |= change_up;
        if (after->link_up) flags |= change_link_up;
        if (!after->addresses.empty()) flags |= change_addresses;
        return static_cast<std::uint16_t>(flags);
    }
    if (after == nullptr) {
        unsigned flags = change_removed;
        if (before->admin_up) flags |= change_down;
        if (before->link_up) flags |= change_link_down;
        return static_cast<std::uint16_t>(flags);
    }
    unsigned flags = 0;
    if (!before->admin_up && after->admin_up) flags |= change_up;
    if (before->admin_up && !after->admin_up) flags |= change_down;
    if (!before->link_up && after->link_up) flags |= change_link_up;
    if (before->link_up && !after->link_up) flags |= change_link_down;
    if (before->mtu != after->mtu) flags |= change_mtu;
    if (before->master != after->master || before->vrf != after->vrf) flags |= change_master;
    if (before->addresses != after->addresses) flags |= change_addresses;
    if (!same_preferred(*before, *after, true) || !same_preferred(*before, *after, false) ||
        !same_link_local(*before, *after)) {
        flags |= change_preferred;
    }
    LinkInfo one = *before;
    const LinkInfo& two = *after;
    one.admin_up = two.admin_up;
    one.link_up = two.link_up;
    one.mtu = two.mtu;
    one.master = two.master;
    if (one != two) flags |= change_other;
    return static_cast<std::uint16_t>(flags);
}

Subscriber::Subscriber(Registry& registry, loops::Event& event, loops::Loop& loop)
    : registry_(registry), event_(event), loop_(loop) {
    const auto guard = registry_.domain_.lock_dynamic();
    registry_.subscribers_.push_back(this);
    for (const auto& [index, slot] : registry_.slots_) {
        if (slot.published) queue_.push_back(index);
    }
    std::sort(queue_.begin(), queue_.end());
    for (const InterfaceIndex index : queue_)
        entries_[index].waiting = true;
    if (!queue_.empty()) event_.send(loop_);
}

Subscriber::~Subscriber() {
    const auto guard = registry_.domain_.lock_dynamic();
    std::erase(registry_.subscribers_, this);
}

std::size_t Subscriber::pending() const {
    const auto guard = registry_.domain_.lock_dynamic();
    return queue_.size();
}

std::vector<Change> Subscriber::take(std::size_t count) {
    std::vector<Change> result;
    const auto guard = registry_.domain_.lock_dynamic();
    while (!queue_.empty() && result.size() < count) {
        const InterfaceIndex index = queue_.front();
        queue_.pop_front();
        Entry& entry = entries_[index];
        const auto slot = registry_.slots_.find(index);
        const InterfaceRef now =
            slot == registry_.slots_.end() ? InterfaceRef() : slot->second.published;
        const InterfaceRef told = entry.told;
        const std::uint16_t passed = entry.passed;
        entry = {now, false, 0};
        if (!now) entries_.erase(index);
        if (told && now && told->generation != now->generation) {
            result.push_back({difference(told.get(), nullptr), told, {}});
            result.push_back({difference(nullptr, now.get()), {}, now});
            continue;
        }
        std::uint16_t flags = difference(told.get(), now.get());
        if (told && now && (passed & interruptions & ~unsigned{flags}) != 0) {
            flags = static_cast<std::uint16_t>(flags | change_flapped);
        }
        // Came and went unseen, or changed and changed back: there is nothing to tell.
        if (flags != 0) result.push_back({flags, told, now});
    }
    if (!queue_.empty()) event_.send(loop_);
    return result;
}

}  // namespace tern::iface
