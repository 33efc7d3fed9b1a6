#pragma once

/// A compact open-addressing hash table: buckets of one cache line with a tag byte per slot.
/// Slots are ids or pointers; keys live elsewhere and are compared by the caller, so that a lookup
/// reads one line here and, nearly always, one entry there. Owned by an index or store and used
/// under its domain. It never stores hashes: growing asks the caller for them again,
/// `hash_of(slot)`; a caller whose keys lie far apart gives it a `prefetch(slot)` too.

#include "locking/check.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace tern {

/// `Slot` is trivially copyable; `slots` of them and their tags have to fit 64 bytes.
template <class Slot, unsigned slots>
class TaggedTable {
  public:
    [[nodiscard]] std::size_t size() const { return size_; }

    [[nodiscard]] std::size_t memory() const { return buckets_.capacity() * sizeof(Bucket); }

    void prefetch(std::uint64_t hash) const {
        if (!buckets_.empty()) __builtin_prefetch(&buckets_[home(hash)]);
    }

    /// Fetches the key that a lookup will most likely compare with; its bucket is near already.
    template <class Keys>
    void prefetch_key(std::uint64_t hash, Keys&& keys) const {
        if (buckets_.empty()) return;
        const Bucket& bucket = buckets_[home(hash)];
        const unsigned at = bucket.first(tag_of(hash));
        if (at < slots) keys.prefetch(bucket.slot[at]);
    }

    /// The slot for which `equal(slot)` holds, or null. Valid until the next change.
    template <class Equal>
    [[nodiscard]] const Slot* find(std::uint64_t hash, Equal&& equal) const {
        if (buckets_.empty()) return nullptr;
        const std::uint8_t tag = tag_of(hash);
        for (std::size_t at = home(hash);; at = next(at)) {
            const Bucket& bucket = buckets_[at];
            for (unsigned word = 0; word < tag_words; ++word) {
                for (std::uint64_t m = bucket.matches(word, tag); m != 0; m &= m - 1) {
                    const unsigned i = word * 8 + static_cast<unsigned>(std::countr_zero(m)) / 8;
                    if (equal(bucket.slot[i])) return &bucket.slot[i];
                }
            }
            if (bucket.overflow == 0) return nullptr;
        }
    }

    /// The key must not be in the table. `hash_of(slot)` gives the hash of any slot.
    template <class HashOf>
    void insert(std::uint64_t hash, Slot slot, HashOf&& hash_of) {
        if ((size_ + 1) * 8 > buckets_.size() * slots * 7) {
            rehash(buckets_.size() + buckets_.size() / 2 + 1, hash_of);
        }
        place(hash, slot);
        ++size_;
    }

    /// Removes a slot that is in the table.
    template <class HashOf>
    void erase(std::uint64_t hash, Slot slot, HashOf&& hash_of) {
        const std::uint8_t tag = tag_of(hash);
        for (std::size_t at = home(hash);; at = next(at)) {
            Bucket& bucket = buckets_[at];
            const unsigned i = bucket.find(tag, slot);
            if (i == slots) {
                TERN_ASSERT(bucket.overflow != 0, "erased slot is not in the table");
                continue;
            }
            bucket.tag[i] = 0;
            uncount_overflow(home(hash), at);
            --size_;
            if (buckets_.size() > 1 && size_ * 4 < buckets_.size() * slots) {
                rehash(buckets_.size() / 2, hash_of);
            }
            return;
        }
    }

    /// Calls `visit(slot)` for every slot; the table must not change meanwhile.
    template <class Visitor>
    void for_each(Visitor&& visit) const {
        for (const Bucket& bucket : buckets_) {
            for (unsigned i = 0; i < slots; ++i) {
                if (bucket.tag[i] != 0) visit(bucket.slot[i]);
            }
        }
    }

  private:
    static constexpr unsigned tag_words = (slots + 7) / 8;

    struct alignas(64) Bucket {
        std::array<std::uint8_t, slots> tag = {};  // 0 is free
        std::uint8_t overflow = 0;  // entries that belong here or before but stand further on
        std::array<Slot, slots> slot = {};

        /// 0x80 in every byte of the word of tags that equals `wanted`.
        [[nodiscard]] std::uint64_t matches(unsigned word, std::uint8_t wanted) const {
            constexpr std::uint64_t low7 = 0x7f7f'7f7f'7f7f'7f7fU;
            std::uint64_t tags = 0;
            std::memcpy(&tags, tag.data() + word * 8, width(word));
            const std::uint64_t x = tags ^ (0x0101'0101'0101'0101U * wanted);
            const std::uint64_t found = ~(((x & low7) + low7) | x | low7);
            return width(word) == 8 ? found : found & ((std::uint64_t{1} << width(word) * 8) - 1);
        }

        /// Tags in this word.
        static constexpr unsigned width(unsigned word) {
            return slots - word * 8 < 8 ? slots - word * 8 : 8;
        }

        /// The first slot with this tag, or `slots`. Without a branch per slot: which one it is
        /// nobody can foresee.
        [[nodiscard]] unsigned first(std::uint8_t wanted) const {
            for (unsigned word = 0; word < tag_words; ++word) {
                const std::uint64_t m = matches(word, wanted);
                if (m != 0) return word * 8 + static_cast<unsigned>(std::countr_zero(m)) / 8;
            }
            return slots;
        }

        /// Where exactly this slot stands, or `slots`.
        [[nodiscard]] unsigned find(std::uint8_t wanted, Slot its) const {
            for (unsigned word = 0; word < tag_words; ++word) {
                for (std::uint64_t m = matches(word, wanted); m != 0; m &= m - 1) {
                    const unsigned i = word * 8 + static_cast<unsigned>(std::countr_zero(m)) / 8;
                    if (slot[i] == its) return i;
                }
            }
            return slots;
        }
    };

    static_assert(sizeof(Bucket) == 64);
    static_assert(std::endian::native == std::endian::little);

    static std::uint8_t tag_of(std::uint64_t hash) {
        return static_cast<std::uint8_t>((hash & 0x7f) | 0x80);
    }

    [[nodiscard]] std::size_t home(std::uint64_t hash) const {
        return static_cast<std::size_t>((hash >> 32) * buckets_.size() >> 32);
    }

    [[nodiscard]] std::size_t next(std::size_t at) const {
        return at + 1 == buckets_.size() ? 0 : at + 1;
    }

    void place(std::uint64_t hash, Slot slot) {
        for (std::size_t at = home(hash);; at = next(at)) {
            Bucket& bucket = buckets_[at];
            const unsigned free = bucket.first(0);
            if (free < slots) {
                bucket.tag[free] = tag_of(hash);
                bucket.slot[free] = slot;
                return;
            }
            if (bucket.overflow != sticky) ++bucket.overflow;
        }
    }

    void uncount_overflow(std::size_t from, std::size_t to) {
        for (std::size_t at = from; at != to; at = next(at)) {
            if (buckets_[at].overflow != sticky) --buckets_[at].overflow;
        }
    }

    template <class HashOf>
    void rehash(std::size_t bucket_count, HashOf&& hash_of) {
        std::vector<Bucket> old = std::move(buckets_);
        buckets_ = std::vector<Bucket>(bucket_count);
        for (std::size_t at = 0; at < old.size(); ++at) {
            const Bucket& bucket = old[at];
            if constexpr (requires { hash_of.prefetch(Slot{}); }) {
                if (at + ahead < old.size()) {
                    for (const Slot slot : old[at + ahead].slot)
                        hash_of.prefetch(slot);
                }
            }
            // All hashes first: the reads of the keys do not depend on each other, so they overlap.
            std::array<std::uint64_t, slots> hashes = {};
            for (unsigned i = 0; i < slots; ++i) {
                if (bucket.tag[i] != 0) hashes[i] = hash_of(bucket.slot[i]);
            }
            for (unsigned i = 0; i < slots; ++i) {
                if (bucket.tag[i] != 0) place(hashes[i], bucket.slot[i]);
            }
        }
    }

    static constexpr std::size_t ahead = 4;      // buckets whose keys are on their way
    static constexpr std::uint8_t sticky = 255;  // the count is lost; stays until the next rehash

    std::vector<Bucket> buckets_;
    std::size_t size_ = 0;
};

}  // namespace tern
