#include "router/proto/kernel/sync.h"

namespace tern::kernel {
namespace {

std::size_t index_of(net::PrefixId id) {
    return static_cast<std::uint32_t>(id);
}

}  // namespace

Installed Sync::present(net::PrefixId id) const {
    const std::size_t index = index_of(id);
    if (index >= fingerprints_.size() || fingerprints_[index] == 0) return {};
    const auto it = special_.find(id);
    if (it != special_.end()) return it->second;
    return {fingerprints_[index], metric_, 0};
}

void Sync::store(net::PrefixId id, const Installed& route) {
    const std::size_t index = index_of(id);
    if (index >= fingerprints_.size()) {
        if (route.fingerprint == 0) return;
        fingerprints_.resize(index + index / 4 + 64);
    }
    const bool before = fingerprints_[index] != 0;
    const bool after = route.fingerprint != 0;
    if (after && !before) ++installed_;
    if (before && !after) --installed_;
    fingerprints_[index] = route.fingerprint;
    if (after && (route.metric != metric_ || route.extra != 0)) {
        special_[id] = route;
    } else {
        special_.erase(id);
    }
}

Order Sync::want(net::PrefixId id,
                 const net::Prefix& prefix,
                 const Installed& route,
                 bool replaceable) {
    Installed old = present(id);
    bool certain = true;  // the kernel is known to have `old`
    if (const auto stray = strays_.find(prefix); stray != strays_.end()) {
        // Left by an earlier life: taken over as it is, or replaced.
        old = stray->second;
        strays_.erase(stray);
        store(id, old);
    } else if (resyncing_ && old.fingerprint != 0) {
        certain = confirmed_.test(static_cast<std::uint32_t>(id));
    }
    if (const auto it = refused_.find(id); it != refused_.end() && !resyncing_) {
        if (it->second.route == route) return {};
    }
    if (certain && old == route) return {};
    store(id, route);
    if (scanning_ || resyncing_) confirmed_.set(static_cast<std::uint32_t>(id));
    const auto refusal = refused_.find(id);
    const bool something =
        old.fingerprint != 0 || (refusal != refused_.end() && refusal->second.ours_there);
    if (!something) return {Action::add, route.metric};
    const std::uint32_t old_metric = old.fingerprint != 0 ? old.metric : route.metric;
    if (!replaceable || old_metric != route.metric) return {Action::remove_and_add, old_metric};
    return {Action::replace, old_metric};
}

std::optional<std::uint32_t> Sync::withdraw(net::PrefixId id) {
    const auto refused = refused_.find(id);
    std::optional<std::uint32_t> metric;
    if (refused != refused_.end()) {
        if (refused->second.ours_there) metric = refused->second.route.metric;
        refused_.erase(refused);
    }
    const Installed old = present(id);
    if (old.fingerprint == 0) return metric;
    store(id, {});
    confirmed_.clear(static_cast<std::uint32_t>(id));
    return old.metric;
}

void Sync::refused(net::PrefixId id, const Installed& route, bool added) {
    store(id, {});
    confirmed_.clear(static_cast<std::uint32_t>(id));
    refused_[id] = {route, !added};
}

bool Sync::accepted(net::PrefixId id) {
    return refused_.erase(id) != 0;
}

void Sync::begin_scan() {
    scanning_ = true;
    mismatch_ = false;
    confirmed_.clear_all();
}

void Sync::abort_scan() {
    scanning_ = false;
    confirmed_.clear_all();
}

bool Sync::seen(std::optional<net::PrefixId> id,
                const net::Prefix& prefix,
                const Installed& route) {
    if (first_) {
        // Nothing is wanted yet. Of two routes to one prefix the second one goes.
        return strays_.try_emplace(prefix, route).second;
    }
    if (!id) return false;
    const Installed old = present(*id);
    if (old.fingerprint == 0) {
        const auto refusal = refused_.find(*id);
        return refusal != refused_.end() && refusal->second.ours_there;
    }
    if (old.metric != route.metric) return false;
    if (old.fingerprint == route.fingerprint) {
        confirmed_.set(static_cast<std::uint32_t>(*id));
    } else {
        mismatch_ = true;
    }
    return true;
}

bool Sync::end_scan() {
    scanning_ = false;
    if (first_) {
        first_ = false;
        resyncing_ = true;
        return false;  // the feed that begins now looks at everything
    }
    // Fewer seen than installed: somebody removed routes of ours.
    const bool again = mismatch_ || confirmed_.count() < installed_ || !refused_.empty();
    resyncing_ = again;
    if (!again) confirmed_.clear_all();
    return again;
}

std::vector<Stray> Sync::end_resync() {
    resyncing_ = false;
    confirmed_ = Bitmap();
    std::vector<Stray> result;
    for (const auto& [prefix, route] : strays_)
        result.push_back({prefix, route.metric});
    strays_ = {};
    return result;
}

std::vector<net::PrefixId> Sync::all() const {
    std::vector<net::PrefixId> result;
    result.reserve(installed_);
    for (std::size_t i = 0; i < fingerprints_.size(); ++i) {
        if (fingerprints_[i] != 0) result.push_back(net::PrefixId{static_cast<std::uint32_t>(i)});
    }
    return result;
}

}  // namespace tern::kernel
