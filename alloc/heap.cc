#include "alloc/heap.h"

#include <algorithm>
#include <bit>
#include <new>

namespace tern::alloc {

using locking::Here;

namespace {

constexpr std::size_t words = SlotBits::words;

/// A bit for each granule of a page.
struct Bits {
    std::array<std::uint64_t, words> word;

    static Bits free_in(const SlotBits& page) { return {std::to_array(page.free)}; }

    bool any() const {
        std::uint64_t all = 0;
        for (const std::uint64_t each : word)
            all |= each;
        return all != 0;
    }

    /// What is set both here and, so many bits further, in the other.
    Bits and_further(Bits other, std::size_t distance) const {
        static_assert(words == 4);
        for (; distance >= 64; distance -= 64)
            other.word = {other.word[1], other.word[2], other.word[3], 0};
        // In two steps, since a shift by all 64 bits is undefined.
        const auto moved = [&](std::uint64_t low, std::uint64_t high) {
            return low >> distance | high << 1 << (63 - distance);
        };
        return {{word[0] & moved(other.word[0], other.word[1]),
                 word[1] & moved(other.word[1], other.word[2]),
                 word[2] & moved(other.word[2], other.word[3]), word[3] & moved(other.word[3], 0)}};
    }
};

/// Where so many free granules follow each other.
Bits starts_of_runs(Bits starts, std::size_t length) {
    for (std::size_t have = 1; have < length;) {
        const std::size_t more = std::min(have, length - have);
        starts = starts.and_further(starts, more);
        have += more;
    }
    return starts;
}

/// Index of the first of so many free granules at a multiple of `step`; 64 * words: there are none.
std::size_t find_run(const SlotBits& page, std::size_t length, std::size_t step) {
    const Bits starts = starts_of_runs(Bits::free_in(page), length);
    for (std::size_t word = 0; word < words; ++word) {
        for (std::uint64_t left = starts.word[word]; left != 0; left &= left - 1) {
            const std::size_t index = word * 64 + static_cast<std::size_t>(std::countr_zero(left));
            if (index % step == 0) return index;
        }
    }
    return 64 * words;
}

/// Doubles the length as long as there are such runs, and then adds what can be added in halves.
std::size_t longest_run(const SlotBits& page) {
    std::array<Bits, 9> starts;  // of runs of 1, 2, 4, ... 256
    starts[0] = Bits::free_in(page);
    if (!starts[0].any()) return 0;
    std::size_t level = 0;
    for (; level + 1 < starts.size(); ++level) {
        starts[level + 1] = starts[level].and_further(starts[level], std::size_t{1} << level);
        if (!starts[level + 1].any()) break;
    }
    std::size_t length = std::size_t{1} << level;
    Bits longest = starts[level];
    while (level-- > 0) {
        const Bits longer = longest.and_further(starts[level], length);
        if (!longer.any()) continue;
        longest = longer;
        length += std::size_t{1} << level;
    }
    return length;
}

/// How many free granules follow each other from an index on.
std::size_t free_from(const SlotBits& page, std::size_t index) {
    std::size_t at = index;
    while (at < 64 * words) {
        const std::uint64_t rest = page.free[at / 64] >> (at % 64);
        const auto run = static_cast<std::size_t>(std::countr_one(rest));
        at += run;
        if (run == 0 || at % 64 != 0) break;
    }
    return at - index;
}

/// How many free granules end before an index.
std::size_t free_before(const SlotBits& page, std::size_t index) {
    std::size_t at = index;
    while (at > 0) {
        const std::size_t within = (at - 1) % 64 + 1;
        const std::uint64_t rest = page.free[(at - 1) / 64] << (64 - within);
        const auto run = static_cast<std::size_t>(std::countl_one(rest));
        at -= run;
        if (run == 0 || at % 64 != 0) break;
    }
    return index - at;
}

/// Calls `use(word, mask)` for each word that a run of granules lies in.
template <class F>
bool for_each_mask(std::size_t first, std::size_t length, F&& use) {
    for (std::size_t left = length; left != 0;) {
        const std::size_t bit = first % 64;
        const std::size_t here = std::min(left, 64 - bit);
        const std::uint64_t ones = here == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << here) - 1;
        if (!use(first / 64, ones << bit)) return false;
        first += here;
        left -= here;
    }
    return true;
}

bool all_in_use(const SlotBits& page, std::size_t first, std::size_t length) {
    return first + length <= 64 * words &&
           for_each_mask(first, length, [&](std::size_t word, std::uint64_t mask) {
               return (page.free[word] & mask) == 0;
           });
}

/// Makes them free or not.
void flip(SlotBits& page, std::size_t first, std::size_t length) {
    for_each_mask(first, length, [&](std::size_t word, std::uint64_t mask) {
        page.free[word] ^= mask;
        return true;
    });
}

}  // namespace

Heap::Heap(Pool& pool, std::string_view name, Here where)
    : Resource(&pool, where), cache_(pool.cache()), name_(name) {}

Heap::~Heap() {
    clear();
}

// Pages with room -----------------------------------------------------------------------------

/// 0 for full pages, then one for each length, from 32 on one for each 8.
constexpr std::size_t Heap::bin_of(std::size_t granules) {
    return granules < 32 ? granules : 32 + (granules - 32) / 8;
}

void Heap::enter(Page& page, std::size_t run) noexcept {
    static_assert(bin_of(page_granules) == bins - 1 && bins <= 64);
    const std::size_t bin = bin_of(run);
    bits_of(page).label = static_cast<std::uint32_t>(run);
    auto* first = static_cast<Page*>(pages_by_run_[bin].first);
    page.enter(first);
    pages_by_run_[bin] = {first, pages_by_run_[bin].pages + 1};
    bins_in_use_ |= std::uint64_t{1} << bin;
}

void Heap::leave(Page& page) noexcept {
    const std::size_t bin = bin_of(bits_of(page).label);
    auto* first = static_cast<Page*>(pages_by_run_[bin].first);
    page.leave(first);
    pages_by_run_[bin] = {first, pages_by_run_[bin].pages - 1};
    if (first == nullptr) bins_in_use_ &= ~(std::uint64_t{1} << bin);
}

void Heap::refile(Page& page, std::size_t run) noexcept {
    SlotBits& bits = bits_of(page);
    if (bin_of(run) != bin_of(bits.label)) {
        leave(page);
        enter(page, run);
    }
    bits.label = static_cast<std::uint32_t>(run);
}

/// The best by what the labels say.
Heap::Page* Heap::page_with_run(std::size_t granules) const noexcept {
    for (std::uint64_t left = bins_in_use_ >> bin_of(granules) << bin_of(granules); left != 0;
         left &= left - 1) {
        auto* page = static_cast<Page*>(
            pages_by_run_[static_cast<std::size_t>(std::countr_zero(left))].first);
        if (bits_of(*page).label >= granules) return page;
    }
    return nullptr;
}

Heap::Page* Heap::new_page() noexcept {
    void* memory = cache_.try_allocate();
    if (memory == nullptr) return nullptr;
    Page& page = Page::of(memory);
    page.start(holder_, page_granules);
    poison_.hide(memory, page_bytes);
    ++pages_;
    ++empty_pages_;
    enter(page, page_granules);
    return &page;
}

// Blocks --------------------------------------------------------------------------------------

void* Heap::take(std::size_t bytes, std::size_t alignment) noexcept {
    if (bytes > page_bytes) return take_large(bytes, alignment);
    const std::size_t granules = granules_for(bytes);
    const std::size_t step = std::max<std::size_t>(1, alignment / granule_bytes);
    // A run of this length has a place for the block, however it lies.
    const std::size_t sure = std::min(granules + step - 1, page_granules);
    Page* page = nullptr;
    std::byte* start = nullptr;
    std::size_t first = page_granules;
    while (first == page_granules) {
        page = page_with_run(sure);
        if (page == nullptr) page = new_page();
        if (page == nullptr) return nullptr;
        start = page->start_of_page();
        first = find_run(SlotBits::of(start), granules, step);
        if (first == page_granules) refile(*page, longest_run(SlotBits::of(start)));
    }
    SlotBits& bits = SlotBits::of(start);
    flip(bits, first, granules);
    if (page->room() == page_granules) --empty_pages_;
    page->change_room(0 - granules);
    if (page->room() < bits.label) refile(*page, page->room());
    void* block = start + first * granule_bytes;
    poison_.reveal(block, bytes);
    return block;
}

void* Heap::take_large(std::size_t bytes, std::size_t alignment) noexcept {
    const std::size_t offset = round_up(sizeof(Large), std::max(alignment, large_alignment_min));
    const std::size_t pages = pages_for(offset + bytes);
    auto* run = static_cast<std::byte*>(cache_.try_allocate_run(pages));
    if (run == nullptr) return nullptr;
    auto* large = ::new (run + offset - sizeof(Large)) Large{large_, &large_, pages, holder_};
    if (large_ != nullptr) large_->previous = &large->next;
    large_ = large;
    large_pages_ += pages;
    return run + offset;
}

void* Heap::try_allocate(std::size_t bytes, Here where) {
    parent()->check(where);
    void* block = take(bytes, granule_bytes);
    if (block == nullptr) return nullptr;
    ++blocks_;
    bytes_ += bytes;
    return block;
}

void* Heap::allocate_aligned(std::size_t bytes, std::size_t alignment, Here where) {
    parent()->check(where);
    TERN_ASSERT(alignment <= page_bytes && (alignment & (alignment - 1)) == 0, "alignment ",
                alignment, " in heap ", name_);
    void* block = take(bytes, alignment);
    if (block == nullptr) parent()->exhausted(*this, bytes, where);
    ++blocks_;
    bytes_ += bytes;
    return block;
}

void* Heap::allocate(std::size_t bytes, Here where) {
    return allocate_aligned(bytes, granule_bytes, where);
}

void Heap::deallocate(void* block, std::size_t bytes, Here where) noexcept {
    parent()->check(where);
    auto* at = static_cast<std::byte*>(block);
    if (bytes > page_bytes) {
        give_large(at, bytes, where);
    } else {
        give(at, bytes, where);
    }
    --blocks_;
    bytes_ -= bytes;
}

void Heap::give(std::byte* block, std::size_t bytes, Here where) noexcept {
    const std::size_t granules = granules_for(bytes);
    const auto distance = static_cast<std::size_t>(block - page_of(block));
    const std::size_t first = distance / granule_bytes;
    if (!cache_.has_region_at(block) || !Page::of(block).held_by(holder_) ||
        distance % granule_bytes != 0 || !all_in_use(SlotBits::of(block), first, granules))
        [[unlikely]] {
        bad_block(block, bytes, where);
    }
    Page& page = Page::of(block);
    poison_.hide(block, granules * granule_bytes);
    SlotBits& bits = SlotBits::of(block);
    flip(bits, first, granules);
    page.change_room(granules);
    if (page.room() == page_granules) {
        keep_or_free(page);
        return;
    }
    const std::size_t run = free_before(bits, first) + free_from(bits, first);
    if (run > bits.label) refile(page, run);
}

/// One empty page is kept, so that a block that comes and goes does not cost a page each time.
void Heap::keep_or_free(Page& page) noexcept {
    if (empty_pages_ == 0) {
        ++empty_pages_;
        refile(page, page_granules);
        return;
    }
    leave(page);
    --pages_;
    cache_.deallocate(page.start_of_page());
}

void Heap::give_large(std::byte* block, std::size_t bytes, Here where) noexcept {
    auto* large = reinterpret_cast<Large*>(block - sizeof(Large));
    std::byte* start = page_of(large);
    // Aligned, so that the head does not begin in one region and end behind it.
    if (reinterpret_cast<std::uintptr_t>(block) % large_alignment_min != 0 ||
        !cache_.has_region_at(large) || large->holder != holder_ ||
        start + large->pages * page_bytes < block + bytes) [[unlikely]] {
        bad_block(block, bytes, where);
    }
    *large->previous = large->next;
    if (large->next != nullptr) large->next->previous = large->previous;
    large_pages_ -= large->pages;
    large->holder = 0;
    cache_.deallocate_run(start, large->pages);
}

void Heap::clear(Here where) noexcept {
    parent()->check(where);
    TERN_ASSERT(lent_ == 0, "heap ", name_, " in pool ", parent()->path(),
                " cleared while containers use ", lent_, " blocks of it");
    cache_.deallocate_chains(pages_by_run_);
    while (large_ != nullptr) {
        Large* large = large_;
        large_ = large->next;
        cache_.deallocate_run(page_of(large), large->pages);
    }
    holder_ = next_page_holder();
    pages_by_run_ = {};
    bins_in_use_ = 0;
    pages_ = empty_pages_ = large_pages_ = blocks_ = bytes_ = 0;
}

void Heap::bad_block(const void* block, std::size_t bytes, Here where) const {
    locking::fatal(where, {"heap ", name_, " in pool ", parent()->path(), ": ", block,
                           " given back as ", bytes, " bytes, which are not a block of it in use"});
}

// Reports -------------------------------------------------------------------------------------

HeapStats Heap::stats() const {
    return {blocks_, bytes_, pages_, large_pages_};
}

MemoryUsage Heap::memory() const {
    return {bytes_, (pages_ + large_pages_) * page_bytes - bytes_ + sizeof(*this)};
}

bool Heap::contains(const void* address) const {
    const auto* at = static_cast<const std::byte*>(address);
    for (const Large* large = large_; large != nullptr; large = large->next) {
        const std::byte* start = page_of(large);
        if (at >= start && at < start + large->pages * page_bytes) return true;
    }
    for (const PageChain& chain : pages_by_run_) {
        for (const PageNote* note = chain.first; note != nullptr; note = note->after()) {
            if (page_of_note(*note) == page_of(address)) return true;
        }
    }
    return false;
}

std::string_view Heap::part_at(const void* address) const {
    const auto* at = static_cast<const std::byte*>(address);
    for (const Large* large = large_; large != nullptr; large = large->next) {
        const std::byte* start = page_of(large);
        if (at >= start && at < start + large->pages * page_bytes) return "large block";
    }
    const auto granule = static_cast<std::size_t>(at - page_of(at)) / granule_bytes;
    return Page::of(at).is_free(at, granule, page_granules) ? "free" : "block";
}

void Heap::verify() const {
    parent()->check(Here::now());
    std::size_t pages = 0;
    std::size_t empty = 0;
    for (std::size_t bin = 0; bin < bins; ++bin) {
        const PageChain& chain = pages_by_run_[bin];
        std::size_t listed = 0;
        for (const PageNote* note = chain.first; note != nullptr; note = note->after(), ++listed) {
            const auto& page = static_cast<const Page&>(*note);
            const SlotBits& bits = bits_of(page);
            TERN_ASSERT(page.held_by(holder_) && bin_of(bits.label) == bin, "page of heap ", name_,
                        " is misfiled");
            TERN_ASSERT(page.counted(page_granules) && longest_run(bits) <= bits.label,
                        "granules lost in heap ", name_);
            empty += page.room() == page_granules ? 1 : 0;
        }
        TERN_ASSERT(listed == chain.pages && (listed != 0) == ((bins_in_use_ >> bin & 1) != 0),
                    "pages of heap ", name_, " miscounted");
        pages += listed;
    }
    TERN_ASSERT(pages == pages_ && empty == empty_pages_, "counters of heap ", name_, ": pages ",
                pages, " of ", pages_, ", empty ", empty, " of ", empty_pages_);
}

}  // namespace tern::alloc
