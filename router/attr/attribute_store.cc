#include "router/attr/attribute_store.h"

#include "alloc/arena.h"
#include "locking/check.h"
#include "router/attr/blob_slab.h"
#include "router/base/hash.h"

#include <cstddef>
#include <new>
#include <vector>

namespace tern::attr {

/// The body of a set to be, in scratch memory.
struct AttributeStore::Draft {
    Bytes body;
    std::uint64_t hash;
    std::uint16_t count;
};

/// The tables use 64 bits; a set keeps 32 of them and these give all others.
static std::uint64_t widen(std::uint32_t hash) {
    return hash_u64(hash);
}

/// Hashes of sets, as the tables ask for them.
struct AttributeStore::Keys {
    std::uint64_t operator()(const AttributeSet* set) const { return widen(set->hash_); }

    void prefetch(const AttributeSet* set) const { __builtin_prefetch(set); }
};

struct AttributeStore::Shard {
    Shard() : blocks(alloc::PageCache::process()) { node.shard = this; }

    locking::Domain<level::AttributeStore> domain;
    // Everything below is guarded by domain.
    TaggedTable<AttributeSet*, 7> table;
    BlobSlab blocks;
    std::size_t bytes = 0;
    std::size_t retired = 0;
    std::vector<AttributeSet*> fresh_dead;    // retired after the running grace period began
    std::vector<AttributeSet*> waiting_dead;  // free when it ends
    bool grace_running = false;

    struct Node : locking::rcu::Retired {
        Shard* shard = nullptr;
    };

    Node node;  // stands for all of waiting_dead

    void bury(AttributeSet* set);
    void start_grace();
    void free_waiting();
    static void grace_over(locking::rcu::Retired& retired_node) noexcept;
};

void AttributeStore::Shard::bury(AttributeSet* set) {
    fresh_dead.push_back(set);
    ++retired;
    if (!grace_running) start_grace();
}

void AttributeStore::Shard::start_grace() {
    grace_running = true;
    waiting_dead = std::move(fresh_dead);
    fresh_dead = {};
    locking::rcu::retire(node, grace_over);
}

void AttributeStore::Shard::free_waiting() {
    for (AttributeSet* const set : waiting_dead) {
        const std::size_t size = set->size();
        set->~AttributeSet();
        blocks.deallocate(set, size);
    }
    retired -= waiting_dead.size();
    waiting_dead = {};
}

void AttributeStore::Shard::grace_over(locking::rcu::Retired& retired_node) noexcept {
    Shard* const shard = static_cast<Node&>(retired_node).shard;
    // Whoever reclaims may hold anything, so this must not insist on the order of locks.
    const auto guard = shard->domain.try_lock();
    if (!guard) {
        locking::rcu::retire(retired_node, grace_over);
        return;
    }
    shard->free_waiting();
    shard->grace_running = false;
    if (!shard->fresh_dead.empty()) shard->start_grace();
}

AttributeStore::AttributeStore() : shards_(std::make_unique<Shard[]>(shard_count)) {}

AttributeStore::~AttributeStore() {
    for (unsigned i = 0; i < shard_count; ++i) {
        TERN_ASSERT(shards_[i].table.size() == 0, "attribute sets are still in use");
    }
    locking::rcu::drain();
}

AttributeStore::Shard& AttributeStore::shard_of(std::uint32_t hash) {
    return shards_[hash % shard_count];
}

const AttributeSet* AttributeStore::intern(const AttributeList& list) {
    if (!list.modified() && list.base() != nullptr) {
        add_use(list.base());
        return list.base();
    }
    alloc::Arena& arena = list.arena();
    const alloc::Arena::Scope scope(arena);
    std::uint16_t count = 0;
    std::size_t payload = 0;
    list.for_each([&](const AttributeRef& ref) {
        ++count;
        if (!is_word(ref.type)) payload += ref.bytes.size();
    });
    const std::size_t size = count * sizeof(AttributeSet::Row) + payload;
    auto* const body = static_cast<std::uint8_t*>(arena.allocate(size + 1, 8));
    std::size_t row_at = 0;
    std::size_t at = count * sizeof(AttributeSet::Row);
    list.for_each([&](const AttributeRef& ref) {
        AttributeSet::Row row{ref.id, ref.type, ref.flags, ref.word};
        if (!is_word(ref.type)) {
            if (!ref.bytes.empty()) std::memcpy(body + at, ref.bytes.data(), ref.bytes.size());
            at += ref.bytes.size();
            row.word = static_cast<std::uint32_t>(at);
        }
        std::memcpy(body + row_at, &row, sizeof row);
        row_at += sizeof row;
    });
    const Bytes bytes{body, size};
    return find_or_make({bytes, hash_bytes(bytes, count), count});
}

const AttributeSet* AttributeStore::find_or_make(const Draft& draft) {
    const auto hash = static_cast<std::uint32_t>(draft.hash);
    Shard& shard = shard_of(hash);
    const std::uint64_t wide = widen(hash);
    const std::size_t size = sizeof(AttributeSet) + draft.body.size();
    const auto guard = shard.domain.lock_dynamic();
    AttributeSet* const* found = shard.table.find(wide, [&](const AttributeSet* set) {
        return set->hash_ == hash && set->size() == size &&
               std::memcmp(set->body(), draft.body.data(), draft.body.size()) == 0;
    });
    if (found != nullptr) {
        (*found)->uses_.fetch_add(1, std::memory_order_relaxed);
        return *found;
    }
    void* const block = shard.blocks.allocate(size);
    auto* const set = ::new (block) AttributeSet(hash, draft.count);
    std::memcpy(static_cast<std::uint8_t*>(block) + sizeof(AttributeSet), draft.body.data(),
                draft.body.size());
    shard.table.insert(wide, set, Keys());
    shard.bytes += size;
    return set;
}

const AttributeSet* AttributeStore::empty() {
    const std::uint8_t nothing = 0;
    const Bytes bytes{&nothing, 0};
    return find_or_make({bytes, hash_bytes(bytes, 0), 0});
}

bool AttributeStore::try_add_use(const AttributeSet* set) {
    std::uint32_t uses = set->uses_.load(std::memory_order_relaxed);
    while (uses != 0) {
        if (set->uses_.compare_exchange_weak(uses, uses + 1, std::memory_order_relaxed))
            return true;
    }
    return false;
}

/// Uses reach zero only under the shard's domain, and interning adds a use only under it as well:
/// so a set found in the table is never about to go.
void AttributeStore::release_last(const AttributeSet* set, std::uint32_t count) {
    Shard& shard = shard_of(set->hash_);
    const auto guard = shard.domain.lock_dynamic();
    const std::uint32_t before = set->uses_.fetch_sub(count, std::memory_order_acq_rel);
    TERN_ASSERT(before >= count, "attribute set released more often than used");
    if (before != count) return;
    auto* const dead = const_cast<AttributeSet*>(set);
    shard.table.erase(widen(set->hash_), dead, Keys());
    shard.bytes -= set->size();
    shard.bury(dead);
}

AttributeStore::Stats AttributeStore::stats() {
    Stats stats;
    for (unsigned i = 0; i < shard_count; ++i) {
        Shard& shard = shards_[i];
        const auto guard = shard.domain.lock_dynamic();
        stats.sets += shard.table.size();
        stats.bytes += shard.bytes;
        stats.retired += shard.retired;
        stats.overhead += shard.table.memory() + shard.blocks.held_bytes() - shard.bytes;
    }
    return stats;
}

}  // namespace tern::attr
