#include "router/table/route_source.h"

#include "locking/check.h"

namespace tern::table {

SourceRegistry::SourceRegistry() : chunks_(new std::atomic<RouteSource*>[max_chunks]()) {}

SourceRegistry::~SourceRegistry() {
    for (std::size_t i = 0; i < max_chunks; ++i) {
        RouteSource* chunk = chunks_[i].load(std::memory_order_relaxed);
        if (chunk == nullptr) break;
        delete[] chunk;
    }
}

SourceId SourceRegistry::take_id() {
    if (!free_.empty()) {
        const SourceId id = free_.front();
        free_.pop_front();
        return id;
    }
    TERN_ASSERT(next_ < chunk_size * max_chunks, "too many route sources");
    if (next_ % chunk_size == 0) {
        chunks_[next_ / chunk_size].store(new RouteSource[chunk_size], std::memory_order_release);
    }
    return SourceId{next_++};
}

SourceId SourceRegistry::acquire(SourceOwner& owner, std::uint32_t path_id) {
    const auto guard = domain_.lock_dynamic();
    const auto [found, fresh] = owner.sources_.try_emplace(path_id);
    if (fresh) {
        found->second = take_id();
        RouteSource& source = get(found->second);
        source.owner = &owner;
        source.path_id = path_id;
        ++owner.references_;
        ++live_;
    }
    add_use(found->second);
    return found->second;
}

void SourceRegistry::release(SourceId id) {
    RouteSource& source = get(id);
    std::uint32_t seen = source.uses.load(std::memory_order_relaxed);
    while (seen > 1) {  // not the last one: no lock
        if (source.uses.compare_exchange_weak(seen, seen - 1, std::memory_order_acq_rel)) return;
    }
    const auto guard = domain_.lock_dynamic();
    if (source.uses.fetch_sub(1, std::memory_order_acq_rel) != 1)
        return;  // acquired again meanwhile
    SourceOwner* owner = source.owner;
    owner->sources_.erase(source.path_id);
    source.owner = nullptr;
    free_.push_back(id);
    --live_;
    drop_owner_reference(owner);
}

void SourceRegistry::release_owner(SourceOwner* owner) {
    const auto guard = domain_.lock_dynamic();
    drop_owner_reference(owner);
}

void SourceRegistry::keep_original(SourceOwner& owner, SourceOwner& original) {
    const auto guard = domain_.lock_dynamic();
    TERN_ASSERT(owner.kept_ == nullptr);
    owner.kept_ = &original;
    ++original.references_;
}

void SourceRegistry::drop_owner_reference(SourceOwner* owner) {
    while (owner != nullptr && --owner->references_ == 0) {
        SourceOwner* const kept = owner->kept_;
        delete owner;
        owner = kept;
    }
}

std::size_t SourceRegistry::live() const {
    const auto guard = domain_.lock_dynamic();
    return live_;
}

bool better(const RouteValue& a, const RouteValue& b, const SourceRegistry& sources) {
    if (a.usable() != b.usable()) return a.usable();
    if (a.preference != b.preference) return a.preference > b.preference;
    const SourceOwner& owner_a = sources.owner(a.source).original();
    const SourceOwner& owner_b = sources.owner(b.source).original();
    const RouteClass& class_a = owner_a.route_class();
    const RouteClass& class_b = owner_b.route_class();
    if (&class_a != &class_b) return class_a.order() < class_b.order();
    return class_a.better(a, owner_a, b, owner_b);
}

}  // namespace tern::table
