#include "router/iface/neighbor.h"

#include <algorithm>

namespace tern::iface {

NeighborWatch::~NeighborWatch() {
    auto& watches = table_->watches_;
    const auto it = std::find(watches.begin(), watches.end(), this);
    TERN_ASSERT(it != watches.end());
    if (table_->walking_) {
        *it = nullptr;
    } else {
        watches.erase(it);
    }
}

NeighborTable::NeighborTable(Registry& registry, loops::Loop& loop)
    : registry_(registry),
      event_(loops::callback<&NeighborTable::run>(*this)),
      subscriber_(registry, event_, loop) {}

NeighborTable::~NeighborTable() {
    TERN_ASSERT(watches_.empty(), "a neighbour watch outlives its table");
}

std::unique_ptr<NeighborWatch> NeighborTable::watch(const NeighborKey& key,
                                                    NeighborWatch::Function function,
                                                    void* context) {
    std::unique_ptr<NeighborWatch> watch(new NeighborWatch());
    watch->table_ = this;
    watch->key_ = key;
    watch->function_ = function;
    watch->context_ = context;
    watches_.push_back(watch.get());
    evaluate(*watch);
    return watch;
}

/// True if the watch changed.
bool NeighborTable::evaluate(NeighborWatch& watch) const {
    const NeighborKey& key = watch.key_;
    Registry::Where where = {key.index, key.vrf};
    bool possible = true;
    if (!key.interface.empty()) {
        const InterfaceRef named = registry_.find(key.interface);
        possible = static_cast<bool>(named);
        if (named) where.index = named->index;
    }
    std::optional<OnLink> found;
    if (possible) found = registry_.on_link(key.address, where);
    if (possible && !found && key.on_link && where.index != 0) {
        const InterfaceRef interface = registry_.find(where.index);
        if (interface && interface->up()) {
            found.emplace();
            found->interface = interface;
            const Address* own = interface->preferred(key.address.is_v4());
            if (own == nullptr) own = interface->link_local();
            if (own != nullptr) found->address = *own;
        }
    }
    if (found && key.check_link && !found->interface->link_up) found.reset();
    const NeighborState state = !found            ? NeighborState::absent
                                : found->is_local ? NeighborState::local
                                                  : NeighborState::present;
    const bool moved = found && watch.interface_ &&
                       (found->interface->index != watch.interface_->index ||
                        found->interface->generation != watch.interface_->generation);
    const bool readdressed = found && found->address.ip != watch.address_.ip;
    const bool changed = state != watch.state_ || moved || readdressed;
    watch.state_ = state;
    watch.interface_ = found ? found->interface : InterfaceRef();
    watch.address_ = found ? found->address : Address();
    return changed;
}

void NeighborTable::run() {
    // What changed does not matter: each watch is one lookup, and all of them are cheap together.
    while (!subscriber_.take(1024).empty()) {
    }
    walking_ = true;
    // Watches added by the functions are up to date; they may be looked at again.
    for (std::size_t i = 0; i < watches_.size(); ++i) {
        NeighborWatch* const watch = watches_[i];
        if (watch != nullptr && evaluate(*watch) && watch->function_ != nullptr) {
            watch->function_(*watch, watch->context_);
        }
    }
    walking_ = false;
    std::erase(watches_, nullptr);
}

}  // namespace tern::iface
