#pragma once

/// How pages are cut into slots of one size, and the note of such a page: which slots are free.
/// What the three slabs have in common; each keeps its pages in lists of its own and locks as it
/// must. Slots fill the page from its start, since the note lies elsewhere: with a bit for each of
/// up to 64 slots, while those of pages with more have their bits further on. Private to alloc.

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

    /// The same for an address in the page and a size that the compiler knows: a power of two takes
    /// an instruction less this way.
    constexpr std::size_t slot_at(std::uintptr_t address) const {
        return std::has_single_bit(size) ? address / size % count : address % page_bytes / size;
    }

    /// Whether a slot starts at an address; likewise.
    constexpr bool is_slot(std::uintptr_t address) const {
        return std::has_single_bit(size)
                   ? address % size == 0
                   : address % page_bytes % size == 0 && address % page_bytes / size < count;
    }

    static constexpr SlabLayout of(std::size_t object_bytes, std::size_t alignment) {
        const std::size_t size = std::max(round_up(object_bytes, alignment), slot_bytes_min);
        return {object_bytes, size, page_bytes / size,
                ((std::uint64_t{1} << 32) + size - 1) / size};
    }
};

/// What the holder of a page has beside the note: a bit for each slot, where the note has too few.
struct SlotBits {
    static constexpr std::size_t words = page_bytes / SlabLayout::slot_bytes_min / 64;

    std::uint64_t free[words];
    std::uint32_t label;

    /// Of the page that an address lies in.
    static SlotBits& of(const void* address) {
        return *reinterpret_cast<SlotBits*>(region_start(address) + region_pages * page_note_bytes +
                                            page_index(address) * slot_bits_bytes);
    }
};

static_assert(sizeof(SlotBits) == slot_bits_bytes);

/// The note of a page of slots. Belongs to the slab whose number it has, and is guarded by what
/// guards that slab.
class SlabPage : public PageNote {
  public:
    static SlabPage& of(const void* object) { return note_of<SlabPage>(object); }

    /// Of the slot that an address in the page lies in.
    static std::size_t index_of(const void* object, const SlabLayout& layout) {
        return layout.index_at(
            static_cast<std::size_t>(static_cast<const std::byte*>(object) - page_of(object)));
    }

    SlabPage* after() const { return static_cast<SlabPage*>(PageNote::after()); }

    /// Whether the note itself has a bit for each of so many slots.
    static constexpr bool few(std::size_t slots) { return slots <= 64; }

    /// room() of a page with so many slots, all of them free.
    static constexpr std::uint64_t all_free(std::size_t slots) {
        return few(slots) ? ones(slots) : slots;
    }

    /// 0 if no slot is free, all_free() if all are; in between it says how many are free, or which
    /// ones if there are few.
    std::uint64_t room() const { return room_; }

    std::size_t count_free(std::size_t slots) const {
        return few(slots) ? static_cast<std::size_t>(std::popcount(room_)) : room_;
    }

    /// All slots free.
    void start(std::uint64_t slab, std::size_t slots) {
        set_holder(slab);
        room_ = all_free(slots);
        if (few(slots)) return;
        SlotBits& bits = SlotBits::of(start_of_page());
        for (std::size_t word = 0; word < SlotBits::words; ++word)
            bits.free[word] = ones(slots - std::min(slots, word * 64));
    }

    std::byte* start_of_page() const { return page_of_note(*this); }

    /// Takes the first free slot; there must be one. The caller knows the page, which is a division
    /// away.
    std::size_t take(const std::byte* page, std::size_t slots) {
        if (few(slots)) return first_of(room_);
        SlotBits& bits = SlotBits::of(page);
        std::size_t word = 0;
        while (bits.free[word] == 0) {
            ++word;
        }
        --room_;
        return word * 64 + first_of(bits.free[word]);
    }

    /// Takes the first free slots, as many as `room` holds; returns how many there were.
    std::size_t take_many(std::span<void*> room, const SlabLayout& layout) {
        std::byte* start = start_of_page();
        if (few(layout.count)) return take_many_of(room_, start, room, layout.size);
        SlotBits& bits = SlotBits::of(start);
        std::size_t taken = 0;
        for (std::uint64_t& word : bits.free) {
            taken += take_many_of(word, start, room.subspan(taken), layout.size);
            start += 64 * layout.size;
        }
        room_ -= taken;
        return taken;
    }

    /// The slot lies in this page.
    void put(const void* slot, std::size_t index, std::size_t slots) {
        put_many(slot, index / 64, std::uint64_t{1} << (index % 64), 1, slots);
    }

    /// Puts so many slots of one word back, of which one is given.
    void put_many(const void* slot,
                  std::size_t word,
                  std::uint64_t returned,
                  std::size_t count,
                  std::size_t slots) {
        if (few(slots)) {
            room_ |= returned;
        } else {
            SlotBits::of(slot).free[word] |= returned;
            room_ += count;
        }
    }

    /// So many more are free, modulo 2^64; for a holder with many slots that changes the bits
    /// itself.
    void change_room(std::uint64_t slots) { room_ += slots; }

    /// The bits of the 64 slots among which the slot with this index is.
    std::uint64_t free_word(const void* slot, std::size_t word, std::size_t slots) const {
        return few(slots) ? room_ : SlotBits::of(slot).free[word];
    }

    bool is_free(const void* slot, std::size_t index, std::size_t slots) const {
        return (free_word(slot, index / 64, slots) >> (index % 64) & 1) != 0;
    }

    /// Whether the count and the bits agree.
    bool counted(std::size_t slots) const {
        if (few(slots)) return (room_ & ~ones(slots)) == 0;
        std::size_t free = 0;
        for (const std::uint64_t word : SlotBits::of(start_of_page()).free)
            free += static_cast<std::size_t>(std::popcount(word));
        return free == room_;
    }

    /// Puts it at the head of a list.
    void enter(SlabPage*& list) {
        previous_ = 0;
        link_to(list);
        if (list != nullptr) list->previous_ = link_of(this);
        list = this;
    }

    void leave(SlabPage*& list) {
        SlabPage* next = after();
        if (next != nullptr) next->previous_ = previous_;
        if (previous_ != 0) {
            static_cast<SlabPage*>(at(previous_))->set_next_link(next_link());
        } else {
            list = next;
        }
    }

  private:
    static constexpr std::uint64_t ones(std::size_t count) {
        return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
    }

    /// Takes the first bit.
    static std::size_t first_of(std::uint64_t& free) {
        const auto bit = static_cast<std::size_t>(std::countr_zero(free));
        free &= free - 1;
        return bit;
    }

    static std::size_t take_many_of(std::uint64_t& word,
                                    std::byte* start,
                                    std::span<void*> room,
                                    std::size_t size) {
        std::size_t taken = 0;
        std::uint64_t free = word;
        for (; free != 0 && taken < room.size(); free &= free - 1)
            room[taken++] = start + static_cast<std::size_t>(std::countr_zero(free)) * size;
        word = free;
        return taken;
    }

    Link previous_;  ///< in a list of the slab
};

static_assert(sizeof(SlabPage) == page_note_bytes);

}  // namespace tern::alloc
