#include "router/net/prefix_index.h"

#include "locking/check.h"
#include "router/base/limits.h"

namespace tern::net {

namespace {

constexpr unsigned ip4_words = 2;
constexpr unsigned ip6_words = 5;
// Steps between asking for a piece of memory and using it.
constexpr std::size_t prefetch_distance = 8;
constexpr std::size_t prefetch_window = 2 * prefetch_distance;

}  // namespace

PrefixIndex::PrefixIndex(NetType type)
    : type_(type), stride_(type == NetType::ip4 ? ip4_words : ip6_words) {
    TERN_ASSERT(is_ip(type), "a prefix index is for IP prefixes");
}

PrefixIndex::~PrefixIndex() = default;

Prefix PrefixIndex::prefix(PrefixId id) const {
    const std::uint32_t* words = entry(static_cast<std::uint32_t>(id));
    const std::uint32_t length =
        meta(static_cast<std::uint32_t>(id)).load(std::memory_order_relaxed) >> 24;
    if (stride_ == ip4_words) return Prefix::ip4(words[0], length);
    return Prefix::ip6(std::uint64_t{words[0]} << 32 | words[1],
                       std::uint64_t{words[2]} << 32 | words[3], length);
}

std::uint64_t PrefixIndex::hash(const Prefix& prefix) const {
    TERN_DEBUG_ASSERT(prefix.type() == type_);
    const IpAddress address = prefix.address();
    if (stride_ == ip4_words) {
        return hash_u64(std::uint64_t{address.v4_value()} << 8 | prefix.length());
    }
    return mix64(address.high() ^ prefix.length(), address.low());
}

std::uint64_t PrefixIndex::hash_of_id(std::uint32_t id) const {
    return hash(prefix(PrefixId{id}));
}

bool PrefixIndex::same(std::uint32_t id, const Prefix& prefix) const {
    const std::uint32_t* words = entry(id);
    if (meta(id).load(std::memory_order_relaxed) >> 24 != prefix.length()) return false;
    const IpAddress address = prefix.address();
    if (stride_ == ip4_words) return words[0] == address.v4_value();
    return words[3] == static_cast<std::uint32_t>(address.low()) &&
           words[2] == static_cast<std::uint32_t>(address.low() >> 32) &&
           words[1] == static_cast<std::uint32_t>(address.high()) &&
           words[0] == static_cast<std::uint32_t>(address.high() >> 32);
}

std::optional<PrefixId> PrefixIndex::find(const Prefix& prefix, std::uint64_t hash) {
    if (prefix.type() != type_) return std::nullopt;
    const std::uint32_t* slot =
        shard(hash).find(hash, [&](std::uint32_t id) { return same(id, prefix); });
    if (slot == nullptr) return std::nullopt;
    return PrefixId{*slot};
}

PrefixId PrefixIndex::acquire(const Prefix& prefix, std::uint64_t hash) {
    TERN_ASSERT(prefix.type() == type_, "prefix of another net type");
    if (const std::optional<PrefixId> known = find(prefix, hash)) {
        meta(static_cast<std::uint32_t>(*known)).fetch_add(1, std::memory_order_relaxed);
        return *known;
    }
    const std::uint32_t id = take_id();
    store(id, prefix);
    shard(hash).insert(hash, id, Keys{*this});
    ++length_counts_[prefix.length()];
    return PrefixId{id};
}

void PrefixIndex::store(std::uint32_t id, const Prefix& prefix) {
    std::uint32_t* words = entry(id);
    const IpAddress address = prefix.address();
    if (stride_ == ip4_words) {
        words[0] = address.v4_value();
    } else {
        words[0] = static_cast<std::uint32_t>(address.high() >> 32);
        words[1] = static_cast<std::uint32_t>(address.high());
        words[2] = static_cast<std::uint32_t>(address.low() >> 32);
        words[3] = static_cast<std::uint32_t>(address.low());
    }
    meta(id).store(prefix.length() << 24 | 1, std::memory_order_relaxed);
}

void PrefixIndex::release(PrefixId id, std::uint64_t hash) {
    const auto number = static_cast<std::uint32_t>(id);
    const std::uint32_t before = meta(number).fetch_sub(1, std::memory_order_relaxed);
    TERN_ASSERT((before & use_mask) != 0, "released prefix id has no use: ", number);
    if ((before & use_mask) != 1) return;
    shard(hash).erase(hash, number, Keys{*this});
    --length_counts_[before >> 24];
    retired_.push_back(number);
    if (retired_.size() >= recycled_at_once) recycle();
}

/// Moves ids whose grace period is over to the free list and starts a new period for the others.
void PrefixIndex::recycle() {
    if (!waiting_.empty()) {
        if (!locking::rcu::done(ticket_)) return;
        for (const std::uint32_t id : waiting_) {
            entry(id)[0] = free_head_;
            free_head_ = id;
        }
        waiting_.clear();
    }
    if (retired_.size() < recycled_at_once) {
        std::vector<std::uint32_t>().swap(waiting_);
        return;
    }
    ticket_ = locking::rcu::begin();
    waiting_.swap(retired_);
}

std::uint32_t PrefixIndex::take_id() {
    if (free_head_ == no_id && retired_.size() + waiting_.size() >= recycled_at_once) recycle();
    if (free_head_ != no_id) {
        const std::uint32_t id = free_head_;
        free_head_ = entry(id)[0];
        return id;
    }
    const std::uint32_t id = next_id_++;
    TERN_ASSERT(id < limits::prefixes, "prefix ids are used up");
    const std::uint32_t shifted = id + (1U << first_chunk_bits);
    const unsigned chunk = static_cast<unsigned>(31 - __builtin_clz(shifted)) - first_chunk_bits;
    if (!storage_[chunk]) {
        // Not initialised: the pages of a large chunk come into being as ids are used.
        const std::size_t entries = std::size_t{1} << (chunk + first_chunk_bits);
        storage_[chunk] = std::make_unique_for_overwrite<std::uint32_t[]>(entries * stride_);
        chunks_[chunk].store(storage_[chunk].get(), std::memory_order_release);
    }
    return id;
}

PrefixIndex::Stats PrefixIndex::stats() {
    const auto guard = domain_.lock_dynamic();
    Stats stats;
    stats.ids = next_id_;
    stats.memory = sizeof(*this) + std::size_t{next_id_} * stride_ * sizeof(std::uint32_t) +
                   (retired_.capacity() + waiting_.capacity()) * sizeof(std::uint32_t);
    for (const Shard& part : shards_) {
        stats.prefixes += part.size();
        stats.memory += part.memory();
    }
    return stats;
}

/// A pipeline: hash and bucket, then the key found there, then the lookup.
void PrefixIndex::Batch::acquire(std::span<const Prefix> prefixes, std::span<PrefixId> ids) {
    TERN_ASSERT(prefixes.size() == ids.size());
    std::array<std::uint64_t, prefetch_window> hashes = {};
    const std::size_t count = prefixes.size();
    for (std::size_t i = 0; i < count + prefetch_window; ++i) {
        if (i >= prefetch_window) {
            const std::size_t at = i - prefetch_window;
            ids[at] = index_.acquire(prefixes[at], hashes[at % prefetch_window]);
        }
        if (i >= prefetch_distance && i - prefetch_distance < count) {
            const std::uint64_t hash = hashes[(i - prefetch_distance) % prefetch_window];
            index_.shard(hash).prefetch_key(hash, Keys{index_});
        }
        if (i < count) {
            const std::uint64_t hash = index_.hash(prefixes[i]);
            hashes[i % prefetch_window] = hash;
            index_.shard(hash).prefetch(hash);
        }
    }
}

/// The other way round: entry, then bucket, then the end.
void PrefixIndex::Batch::release(std::span<const PrefixId> ids) {
    std::array<std::uint64_t, prefetch_window> hashes = {};
    const std::size_t count = ids.size();
    for (std::size_t i = 0; i < count + prefetch_window; ++i) {
        if (i >= prefetch_window) {
            const std::size_t at = i - prefetch_window;
            index_.release(ids[at], hashes[at % prefetch_window]);
        }
        if (i >= prefetch_distance && i - prefetch_distance < count) {
            const std::size_t at = i - prefetch_distance;
            const std::uint64_t hash = index_.hash_of_id(static_cast<std::uint32_t>(ids[at]));
            hashes[at % prefetch_window] = hash;
            index_.shard(hash).prefetch(hash);
        }
        if (i < count) __builtin_prefetch(index_.entry(static_cast<std::uint32_t>(ids[i])));
    }
}

}  // namespace tern::net
