#pragma once

/// Prefix <-> dense 32-bit id, one index per net type, shared by all tables of that type, so that
/// routes, journals and readers' bitmaps name a prefix by four bytes.
/// Owned by the router; guarded by its domain (level prefix_index), taken once per batch. The way
/// back from id to prefix takes no lock: entries never move. Ids are use-counted; a freed id is
/// given out again only after an RCU grace period, so prefix() may be asked in a read section for
/// any id that was alive when the section began. Memory: 8 bytes per IPv4 and 20 per IPv6 prefix
/// plus 6 to 9 bytes of hash.

#include "locking/domain.h"
#include "locking/rcu.h"
#include "router/base/lock_order.h"
#include "router/base/tagged_table.h"
#include "router/net/prefix.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace tern::net {

/// Dense number of a prefix within the index of its net type.
enum class PrefixId : std::uint32_t {};

class PrefixIndex {
  public:
    /// `type` is ip4 or ip6.
    explicit PrefixIndex(NetType type);
    PrefixIndex(const PrefixIndex&) = delete;
    PrefixIndex& operator=(const PrefixIndex&) = delete;
    ~PrefixIndex();

    [[nodiscard]] NetType type() const { return type_; }

    [[nodiscard]] locking::Domain<level::PrefixIndex>& domain() { return domain_; }

    /// No lock. The caller holds a use, or is in a read section begun while somebody did.
    [[nodiscard]] Prefix prefix(PrefixId id) const;

    /// No lock; for a caller that holds a use already.
    static void add_use(PrefixIndex& index, PrefixId id) {
        index.meta(static_cast<std::uint32_t>(id)).fetch_add(1, std::memory_order_relaxed);
    }

    /// Drops one use, unless it is the last: then false, and a Batch has to release it. No lock.
    [[nodiscard]] bool try_release(PrefixId id) {
        const auto uses = meta(static_cast<std::uint32_t>(id));
        std::uint32_t seen = uses.load(std::memory_order_relaxed);
        while ((seen & use_mask) > 1) {
            if (uses.compare_exchange_weak(seen, seen - 1, std::memory_order_relaxed)) return true;
        }
        return false;
    }

    class Batch;

    struct Stats {
        std::size_t prefixes = 0;
        std::size_t ids = 0;     ///< highest id ever given out, plus one
        std::size_t memory = 0;  ///< bytes
    };

    /// Takes the domain.
    [[nodiscard]] Stats stats();

  private:
    static constexpr unsigned first_chunk_bits = 8;
    static constexpr unsigned chunk_count = 21;
    static constexpr unsigned shard_count = 256;  // growing one of them is a short stall
    static constexpr std::uint32_t use_mask = 0xff'ffff;
    static constexpr std::uint32_t no_id = ~std::uint32_t{0};
    static constexpr std::size_t recycled_at_once = 1024;  // a grace period costs system calls

    /// Hashes of ids, as the shards ask for them.
    struct Keys {
        const PrefixIndex& index;

        std::uint64_t operator()(std::uint32_t id) const { return index.hash_of_id(id); }

        /// Free slots hold any id, but none that never was one.
        void prefetch(std::uint32_t id) const { __builtin_prefetch(index.entry(id)); }
    };

    using Shard = TaggedTable<std::uint32_t, 12>;

    /// Entry as words: the address (1 or 4), then length << 24 | uses.
    [[nodiscard]] std::uint32_t* entry(std::uint32_t id) const {
        const std::uint32_t shifted = id + (1U << first_chunk_bits);
        const auto chunk = static_cast<unsigned>(31 - __builtin_clz(shifted)) - first_chunk_bits;
        const std::uint32_t inside = shifted - (1U << (chunk + first_chunk_bits));
        return chunks_[chunk].load(std::memory_order_acquire) + std::size_t{inside} * stride_;
    }

    [[nodiscard]] std::atomic_ref<std::uint32_t> meta(std::uint32_t id) const {
        return std::atomic_ref<std::uint32_t>(entry(id)[stride_ - 1]);
    }

    [[nodiscard]] std::uint64_t hash(const Prefix& prefix) const;
    [[nodiscard]] bool same(std::uint32_t id, const Prefix& prefix) const;

    [[nodiscard]] Shard& shard(std::uint64_t hash) { return shards_[hash >> 8 & 0xff]; }

    [[nodiscard]] std::uint64_t hash_of_id(std::uint32_t id) const;
    [[nodiscard]] std::optional<PrefixId> find(const Prefix& prefix, std::uint64_t hash);
    PrefixId acquire(const Prefix& prefix, std::uint64_t hash);
    void release(PrefixId id, std::uint64_t hash);
    std::uint32_t take_id();
    void store(std::uint32_t id, const Prefix& prefix);
    void recycle();

    const NetType type_;
    const unsigned stride_;
    locking::Domain<level::PrefixIndex> domain_;
    std::array<std::atomic<std::uint32_t*>, chunk_count> chunks_ = {};
    // Everything below is guarded by domain_.
    std::array<std::unique_ptr<std::uint32_t[]>, chunk_count> storage_;
    std::array<Shard, shard_count> shards_;
    std::array<std::uint32_t, 129> length_counts_ = {};
    std::uint32_t next_id_ = 0;
    std::uint32_t free_head_ = no_id;     // linked through the first words of free entries
    std::vector<std::uint32_t> retired_;  // released since the ticket was drawn
    std::vector<std::uint32_t> waiting_;  // free once ticket_ is done
    locking::rcu::Ticket ticket_;
};

/// All changes and lookups by prefix; holds the domain for its life.
class PrefixIndex::Batch {
  public:
    explicit Batch(PrefixIndex& index) : index_(index), guard_(index.domain_.lock_dynamic()) {}

    template <class H>
    Batch(PrefixIndex& index, locking::Position<H>& held)
        : index_(index), guard_(index.domain_.lock(held)) {}

    /// The id of the prefix, made if need be, with one more use.
    [[nodiscard]] PrefixId acquire(const Prefix& prefix) {
        return index_.acquire(prefix, index_.hash(prefix));
    }

    /// The same for many, faster because the memory accesses overlap. `ids` has the same size.
    void acquire(std::span<const Prefix> prefixes, std::span<PrefixId> ids);

    /// Without taking a use; valid while somebody holds one.
    [[nodiscard]] std::optional<PrefixId> find(const Prefix& prefix) const {
        return index_.find(prefix, index_.hash(prefix));
    }

    void add_use(PrefixId id) { PrefixIndex::add_use(index_, id); }

    /// Drops one use; the last one retires the id.
    void release(PrefixId id) {
        index_.release(id, index_.hash_of_id(static_cast<std::uint32_t>(id)));
    }

    /// The same for many, faster because the memory accesses overlap.
    void release(std::span<const PrefixId> ids);

    /// Calls `visit(id)` for every known prefix containing `key`, longest first, until it returns
    /// true; that id is the result. What is known here need not have a route in some table, so the
    /// visitor looks into its table.
    template <class Visitor>
    [[nodiscard]] std::optional<PrefixId> longest_match(const Prefix& key, Visitor&& visit) const {
        for (unsigned length = key.length() + 1; length-- > 0;) {
            if (index_.length_counts_[length] == 0) continue;
            const Prefix shorter =
                key.type() == NetType::ip4
                    ? Prefix::ip4(key.address().v4_value(), length)
                    : Prefix::ip6(key.address().high(), key.address().low(), length);
            const std::optional<PrefixId> id = find(shorter);
            if (id && visit(*id)) return id;
        }
        return std::nullopt;
    }

  private:
    PrefixIndex& index_;
    locking::Guard<level::PrefixIndex> guard_;
};

}  // namespace tern::net
