#pragma once

/// How pages are cut into slots of one size, and the note of such a page: which slots are free.
/// What the three slabs have in common; each keeps its pages in lists of its own and locks as it
/// must. Slots fill the page from its start, since the note lies elsewhere. Private to alloc.

#include "alloc/page.h"
#include "locking/check.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tern::alloc {

/// Where the objects of one size lie in a page.
struct SlabLayout {
    std::size_t object = 0;        ///< bytes of one object
    std::size_t size = 0;          ///< bytes of its slot
    std::size_t count = 0;         ///< slots per page
    std::uint64_t reciprocal = 0;  ///< of the size, times 2^32, rounded up

    /// Smaller objects get a slot of this size, or a page would have more slots than its note bits.
    static constexpr std::size_t slot_bytes_min = 16;

    /// Which slot lies so many bytes behind the start of the page; `size` divides a page at most
    /// into slot_bytes_min, so 32 bits of the reciprocal are exact.
    constexpr std::size_t index_at(std::size_t distance) const {
        return distance * reciprocal >> 32;
    }

    static constexpr SlabLayout of(std::size_t object_bytes, std::size_t alignment) {
        const std::size_t size = std::max(round_up(object_bytes, alignment), slot_bytes_min);
        return {object_bytes, size, page_bytes / size,
                ((std::uint64_t{1} << 32) + size - 1) / size};
    }
};

/// The note of a page of slots. Belongs to the slab whose number it has, and is guarded by what
/// guards that slab.
struct SlabPage : PageNote {
    static constexpr std::size_t words = page_bytes / SlabLayout::slot_bytes_min / 64;

    std::uint16_t free_count;
    std::uint32_t label;             ///< of the slab
    SlabPage* previous;              ///< in a list of the slab
    std::uint64_t free_bits[words];  ///< one per slot

    static SlabPage& of(const void* object) { return note_of<SlabPage>(object); }

    /// Of the slot that an address in the page lies in.
    static std::size_t index_of(const void* object, const SlabLayout& layout) {
        return layout.index_at(
            static_cast<std::size_t>(static_cast<const std::byte*>(object) - page_of(object)));
    }

    SlabPage* after() const { return static_cast<SlabPage*>(next); }

    /// All slots free.
    void start(std::uint64_t slab, std::size_t count) {
        set_holder(slab);
        free_count = static_cast<std::uint16_t>(count);
        for (std::size_t word = 0; word < words; ++word) {
            const std::size_t bits = std::min<std::size_t>(count - std::min(count, word * 64), 64);
            free_bits[word] = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
        }
    }

    std::byte* start_of_page() const { return page_of_note(*this); }

    /// Takes the first free slot; there must be one.
    std::size_t take() {
        std::size_t word = 0;
        while (free_bits[word] == 0) {
            ++word;
        }
        const auto bit = static_cast<std::size_t>(std::countr_zero(free_bits[word]));
        free_bits[word] &= free_bits[word] - 1;
        --free_count;
        return word * 64 + bit;
    }

    /// Takes the first free slots, as many as `room` holds; returns how many there were.
    std::size_t take_many(std::span<void*> room, const SlabLayout& layout) {
        std::size_t taken = 0;
        for (std::size_t word = 0; word < words && taken < room.size(); ++word) {
            std::byte* slots = start_of_page() + word * 64 * layout.size;
            std::uint64_t free = free_bits[word];
            for (; free != 0 && taken < room.size(); free &= free - 1) {
                room[taken++] =
                    slots + static_cast<std::size_t>(std::countr_zero(free)) * layout.size;
            }
            free_bits[word] = free;
        }
        free_count = static_cast<std::uint16_t>(free_count - taken);
        return taken;
    }

    void put(std::size_t index) {
        free_bits[index / 64] |= std::uint64_t{1} << (index % 64);
        ++free_count;
    }

    /// Puts so many slots of one word back.
    void put_many(std::size_t word, std::uint64_t slots, std::size_t count) {
        free_bits[word] |= slots;
        free_count = static_cast<std::uint16_t>(free_count + count);
    }

    bool is_free(std::size_t index) const {
        return (free_bits[index / 64] >> (index % 64) & 1) != 0;
    }

    /// By the bits, for those who verify the count.
    std::size_t count_free() const {
        std::size_t free = 0;
        for (const std::uint64_t word : free_bits)
            free += static_cast<std::size_t>(std::popcount(word));
        return free;
    }

    /// Puts it at the head of a list.
    void enter(SlabPage*& list) {
        previous = nullptr;
        next = list;
        if (list != nullptr) list->previous = this;
        list = this;
    }

    void leave(SlabPage*& list) {
        if (previous != nullptr) {
            previous->next = next;
        } else {
            list = after();
        }
        if (next != nullptr) after()->previous = previous;
    }
};

static_assert(sizeof(void*) != 8 || sizeof(SlabPage) == page_note_bytes);

}  // namespace tern::alloc
