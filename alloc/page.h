#pragma once

/// Sizes of the memory that everything in alloc is cut from, and the interface to its origin.
/// A page is 4 KiB whatever the system's page is; a region is 2 MiB, aligned, and is what is asked
/// from the source. A PageSource is owned by whoever makes the PageCache and must outlive it.
/// Sources are called with the depot of the cache locked: they must not allocate from it.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace tern::alloc {

inline constexpr std::size_t page_bytes = 4096;
inline constexpr std::size_t region_bytes = std::size_t{2} << 20;
inline constexpr std::size_t region_pages = region_bytes / page_bytes;

/// Rounds up to a multiple of a power of two.
constexpr std::size_t round_up(std::size_t value, std::size_t power_of_two) {
    return (value + power_of_two - 1) & ~(power_of_two - 1);
}

/// How many pages so many bytes fill, the last perhaps in part.
constexpr std::size_t pages_for(std::size_t bytes) {
    return (bytes + page_bytes - 1) / page_bytes;
}

/// Start of the page that an address lies in.
inline std::byte* page_of(const void* address) {
    return reinterpret_cast<std::byte*>(reinterpret_cast<std::uintptr_t>(address) &
                                        ~std::uintptr_t{page_bytes - 1});
}

/// What is noted about a page. The notes of all pages of a region lie together at its start, so
/// looking at one touches neither the page nor the set of the cache that all starts of pages share.
/// Whoever holds the page derives its own record from this; it is undefined when the page is taken
/// but for the holder, which is nobody then.
class PageNote {
  public:
    /// Whether the page belongs to the slab of this number. One that gives up all pages in one step
    /// retires its number instead of taking it out of each.
    bool held_by(std::uint64_t number) const { return holder() == number; }

    std::uint64_t holder() const {
        return holder_and_state_.load(std::memory_order_relaxed) >> state_bits;
    }

    void set_holder(std::uint64_t number) {
        holder_and_state_.store(number << state_bits | state(), std::memory_order_relaxed);
    }

    /// Whose page and whether it is taken; the page cache's.
    std::uint16_t state() const {
        return static_cast<std::uint16_t>(holder_and_state_.load(std::memory_order_relaxed));
    }

    /// The page belongs to nobody then.
    void set_state(std::uint16_t state) {
        holder_and_state_.store(state, std::memory_order_relaxed);
    }

    /// The next one in a list of the holder; nullptr at the end of what linked itself to nullptr.
    PageNote* after() const { return at(next_); }

    void link_to(const PageNote* next) { next_ = link_of(next); }

  protected:
    /// The lower half of the number of a page; 0 for nullptr. It is enough, since all regions of a
    /// cache lie within regions_span_max.
    using Link = std::uint32_t;

    static Link link_of(const PageNote* note);
    PageNote* at(Link link) const;

    Link next_link() const { return next_; }

    void set_next_link(Link link) { next_ = link; }

  private:
    static constexpr unsigned state_bits = 16;

    std::atomic<std::uint64_t> holder_and_state_;

  protected:
    std::uint64_t room_;  ///< the holder's

  private:
    Link next_;
};

/// A number for PageNote::set_holder() that nobody had before; never 0, and of 48 bits.
std::uint64_t next_page_holder() noexcept;

/// Pages of one holder, linked through their notes; the link of the last is whatever it is.
struct PageChain {
    PageNote* first = nullptr;
    std::size_t pages = 0;
};

inline constexpr std::uint32_t page_note_bytes = 24;
/// Behind the notes of a region there is so much more for each page, see SlotBits. It is touched
/// for pages of small things only, and has no memory behind it before that.
inline constexpr std::size_t slot_bits_bytes = 40;
/// Pages at the start of a region that hold its head, the notes and the bits.
inline constexpr std::size_t region_head_pages =
    region_pages * (page_note_bytes + slot_bits_bytes) / page_bytes;
/// From the first to the last region of a cache.
inline constexpr std::size_t regions_span_max = (std::size_t{1} << 31) * page_bytes;

/// The region that an address lies in.
inline std::uintptr_t region_start(const void* address) {
    return reinterpret_cast<std::uintptr_t>(address) & ~std::uintptr_t{region_bytes - 1};
}

/// Of the page that an address lies in, in its region.
inline std::size_t page_index(const void* address) {
    return reinterpret_cast<std::uintptr_t>(address) / page_bytes % region_pages;
}

/// The note of the page that an address lies in, seen as its holder's record. The address must lie
/// in a region of a page cache.
template <class N>
N& note_of(const void* address) {
    static_assert(std::is_base_of_v<PageNote, N> && sizeof(N) <= page_note_bytes);
    // page_index() * page_note_bytes with a shift less.
    constexpr std::size_t words = page_note_bytes / 8;
    const std::uintptr_t eighths = reinterpret_cast<std::uintptr_t>(address) / (page_bytes / 8);
    return *reinterpret_cast<N*>(region_start(address) +
                                 (eighths & (region_pages - 1) * 8) * words);
}

/// Which note of its region it is.
inline std::size_t note_index(const PageNote& note) {
    // In 32 bits, where it is a multiplication.
    return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(&note) % region_bytes) /
           page_note_bytes;
}

/// The page that a note is about.
inline std::byte* page_of_note(const PageNote& note) {
    return reinterpret_cast<std::byte*>(region_start(&note) + note_index(note) * page_bytes);
}

/// No page has the number 0: there the head of a region lies.
inline PageNote::Link PageNote::link_of(const PageNote* note) {
    if (note == nullptr) return 0;
    return static_cast<Link>(region_start(note) / page_bytes + note_index(*note));
}

/// Of the pages with this lower half the one that is nearest.
inline PageNote* PageNote::at(Link link) const {
    if (link == 0) return nullptr;
    const std::uintptr_t region = region_start(this);
    const auto distance = static_cast<std::int32_t>(link - static_cast<Link>(region / page_bytes));
    return &note_of<PageNote>(reinterpret_cast<const std::byte*>(region) +
                              std::ptrdiff_t{distance} * static_cast<std::ptrdiff_t>(page_bytes));
}

/// Where address space comes from: the kernel, or a test. Any thread calls it, one at a time for
/// each cache that uses it. Only map() may refuse; what it gave comes back whole.
class PageSource {
  public:
    virtual ~PageSource() = default;

    /// Zeroed memory that is backed on first touch; nullptr if there is none to be had.
    /// `bytes` is a multiple of region_bytes or of granularity(), `alignment` a power of two.
    virtual void* map(std::size_t bytes, std::size_t alignment) noexcept = 0;
    virtual void unmap(void* start, std::size_t bytes) noexcept = 0;

    /// Gives the memory behind a range back and keeps the addresses; contents become undefined or
    /// zero. Both ends are multiples of granularity().
    virtual void purge(void* start, std::size_t bytes) noexcept = 0;

    /// The size of the system's own pages.
    virtual std::size_t granularity() const noexcept = 0;
};

}  // namespace tern::alloc
