#pragma once

/// Interns attribute sets: equal sets share one pointer, so that comparing sets is comparing
/// pointers and a table of a million routes keeps each set once.
/// Owned by the router; used from any thread under any domain above level attribute_store. Sharded
/// by hash, one domain per shard. Use counts are atomic; only the last use of a set takes a lock.
/// Retired sets are freed after an RCU grace period. It never looks at what attributes mean.

#include "locking/domain.h"
#include "locking/rcu.h"
#include "router/attr/attribute_list.h"
#include "router/attr/attribute_set.h"
#include "router/base/lock_order.h"
#include "router/base/tagged_table.h"

#include <array>
#include <cstdint>
#include <memory>

namespace tern::attr {

class AttributeStore {
  public:
    AttributeStore();
    AttributeStore(const AttributeStore&) = delete;
    AttributeStore& operator=(const AttributeStore&) = delete;
    /// All uses must have been released; a set left behind is a bug and aborts. No domain may be
    /// held, since retired sets are waited for.
    ~AttributeStore();

    /// The set equal to the list, with one more use that the caller has to release.
    [[nodiscard]] const AttributeSet* intern(const AttributeList& list);

    /// The set without attributes, with one more use.
    [[nodiscard]] const AttributeSet* empty();

    /// The caller holds a use already.
    void add_use(const AttributeSet* set, std::uint32_t count) {
        set->uses_.fetch_add(count, std::memory_order_relaxed);
    }

    void add_use(const AttributeSet* set) { add_use(set, 1); }

    /// For a set met in a read section without a use; false if it is being retired.
    [[nodiscard]] bool try_add_use(const AttributeSet* set);

    /// Drops uses. Not inside a read section: the last use takes the shard's domain.
    void release(const AttributeSet* set, std::uint32_t count) {
        std::uint32_t uses = set->uses_.load(std::memory_order_relaxed);
        while (uses > count) {
            if (set->uses_.compare_exchange_weak(uses, uses - count, std::memory_order_release,
                                                 std::memory_order_relaxed)) {
                return;
            }
        }
        release_last(set, count);
    }

    void release(const AttributeSet* set) { release(set, 1); }

    struct Stats {
        std::size_t sets = 0;      ///< in use
        std::size_t bytes = 0;     ///< of these sets
        std::size_t retired = 0;   ///< waiting for readers
        std::size_t overhead = 0;  ///< bytes of hash tables
    };

    /// Takes the shards' domains one after the other.
    [[nodiscard]] Stats stats();

  private:
    static constexpr unsigned shard_count = 16;

    struct Shard;
    struct Draft;
    struct Keys;

    [[nodiscard]] Shard& shard_of(std::uint32_t hash);
    const AttributeSet* find_or_make(const Draft& draft);
    void release_last(const AttributeSet* set, std::uint32_t count);

    std::unique_ptr<Shard[]> shards_;
};

}  // namespace tern::attr
