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
/// but for `holder`, which must not be a number that is still in use.
struct PageNote {
    /// Number of the slab that the page belongs to. A slab that lives on takes it out before the
    /// page goes back; one that gives up all pages in one step retires the number instead.
    std::atomic<std::uint64_t> holder;
    PageNote* next;  ///< in a list of the holder
    /// Whose page and whether it is taken; the page cache's.
    std::atomic<std::uint16_t> state;

    bool held_by(std::uint64_t number) const {
        return holder.load(std::memory_order_relaxed) == number;
    }

    void set_holder(std::uint64_t number) { holder.store(number, std::memory_order_relaxed); }
};

/// A number for PageNote::holder that nobody had before; never 0.
std::uint64_t next_page_holder() noexcept;

/// Pages of one holder, linked through their notes; the link of the last is whatever it is.
struct PageChain {
    PageNote* first = nullptr;
    std::size_t pages = 0;
};

inline constexpr std::size_t page_note_bytes = 64;
/// Pages at the start of a region that hold its head and the notes.
inline constexpr std::size_t region_head_pages = region_pages * page_note_bytes / page_bytes;

/// The note of the page that an address lies in, seen as its holder's record. The address must lie
/// in a region of a page cache.
template <class N>
N& note_of(const void* address) {
    static_assert(std::is_base_of_v<PageNote, N> && sizeof(N) <= page_note_bytes);
    const auto at = reinterpret_cast<std::uintptr_t>(address);
    return *reinterpret_cast<N*>((at & ~std::uintptr_t{region_bytes - 1}) +
                                 at / page_bytes % region_pages * page_note_bytes);
}

/// The page that a note is about.
inline std::byte* page_of_note(const PageNote& note) {
    const auto at = reinterpret_cast<std::uintptr_t>(&note);
    return reinterpret_cast<std::byte*>((at & ~std::uintptr_t{region_bytes - 1}) +
                                        at / page_note_bytes % region_pages * page_bytes);
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
