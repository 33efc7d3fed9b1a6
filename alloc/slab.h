#pragma once

/// Many objects of one type in one domain, cut from pages.
/// Free slots are bits in or beside the note of the page, so giving back a cold object touches
/// neither it nor its page.
/// A Slab is a resource of a pool, embedded in its user or made in the pool; each make and destroy
/// checks that the pool's domain is held and that the slot is what it claims to be. One slot
/// that was freed is kept aside and taken next, so a pair does not look for it in its page. Besides
/// the page in use and that of this slot it keeps at most one empty page and gives the others back
/// at once. It never calls its user but for destructors. Making and destroying are inlined, all
/// checks included: a call of them would cost a quarter more.

#include "alloc/owned.h"
#include "alloc/page.h"
#include "alloc/poison.h"
#include "alloc/pool.h"
#include "alloc/slab_page.h"
#include "locking/domain.h"

#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tern::alloc {

/// A value; counts of objects and pages.
struct SlabStats {
    std::size_t live = 0;       ///< objects
    std::size_t live_peak = 0;  ///< most objects at once so far
    std::size_t pages = 0;
    std::size_t slots = 0;  ///< objects that fit into the pages
};

/// Everything about a slab that does not depend on the type.
class SlabBase : public Resource {
  public:
    std::string_view kind() const override { return "slab"; }

    std::string_view name() const override { return name_; }

    MemoryUsage memory() const override { return usage_now(); }

    bool contains(const void* address) const override { return has_page_of(address); }

    std::string_view part_at(const void* address) const override { return part_of_page(address); }

    /// Domain held.
    SlabStats stats() const;

    std::size_t live() const { return taken_ - (spare_ != nullptr ? 1 : 0); }

    /// Aborts unless all heads, bitmaps and counters agree. Domain held.
    void verify() const;

  protected:
    using Page = SlabPage;

    SlabBase(Pool& pool, std::string_view name, const SlabLayout& layout, locking::Here where);

    ~SlabBase() override { finish(); }

    void check(locking::Here where) const {
        if (!domain_.held_by_this_thread()) [[unlikely]]
            parent()->misuse(where);
    }

    /// Whether an object may be one of this slab; the caller looks at the slot.
    bool holds_page_of(const void* object) const {
        return regions_.has(object) && Page::of(object).held_by(holder_);
    }

    /// For when there is no spare slot; nullptr if there is no memory.
    void* take_slot() noexcept;
    [[noreturn, gnu::cold]] void exhausted(locking::Here where) const noexcept;

    /// The slot of an object that has ended. A checker gets to see each one, so nothing is kept
    /// aside from it.
    [[gnu::always_inline]] void give_slot(std::byte* slot,
                                          std::size_t index,
                                          const SlabLayout& layout) noexcept {
        if (poison_.watches()) [[unlikely]] {
            give_watched_slot(slot, index);
        } else if (spare_ == nullptr) {
            spare_ = slot;
        } else {
            put_slot(slot, index, layout);
        }
    }

    [[gnu::always_inline]] void put_slot(std::byte* slot,
                                         std::size_t index,
                                         const SlabLayout& layout) noexcept {
        Page& page = Page::of(slot);
        if (page.room() == 0) [[unlikely]]
            refile_full(page);
        page.put(slot, index, layout.count);
        --taken_;
        if (page.room() == Page::all_free(layout.count)) [[unlikely]]
            refile_empty(page);
    }

    /// So that all free slots are in their pages.
    void settle_spare() noexcept;

    /// Makes `current_` a page with a free slot; false if there is no memory.
    bool next_page() noexcept;
    /// Called before a page gets its first free slot, and when it has got its last one.
    void refile_full(Page& page) noexcept;
    void refile_empty(Page& page) noexcept;
    /// Gives all pages back; the objects have been destroyed.
    void drop_pages() noexcept;

    template <class F>
    void for_each_slot(const SlabLayout& layout, F&& use) {
        settle_spare();
        if (current_ != nullptr) for_each_live(Page::of(current_), layout, use);
        for (Page* list : {partial_, full_}) {
            for (Page* page = list; page != nullptr; page = page->after()) {
                for_each_live(*page, layout, use);
            }
        }
    }

    const locking::DomainBase& domain_;
    PageCache& cache_;
    const RegionMap& regions_;                   ///< of the cache
    std::uint64_t holder_ = next_page_holder();  ///< marks its pages
    std::byte* current_ = nullptr;               ///< the page in use
    std::byte* spare_ = nullptr;                 ///< a slot freed and not taken again; at most one
    std::size_t taken_ = 0;  ///< slots not free in their pages: the live ones and the spare one
    std::size_t live_peak_ = 0;
    Poison poison_;

  private:
    template <class F>
    static void for_each_live(Page& page, const SlabLayout& layout, F& use) {
        for (std::size_t i = 0; i < layout.count; ++i) {
            std::byte* slot = page.start_of_page() + i * layout.size;
            if (!page.is_free(slot, i, layout.count)) use(slot);
        }
    }

    [[gnu::cold]] void give_watched_slot(std::byte* slot, std::size_t index) noexcept;
    MemoryUsage usage_now() const;
    bool has_page_of(const void* address) const;
    std::string_view part_of_page(const void* address) const;
    void finish() noexcept;
    Page* new_page() noexcept;
    void free_page(Page& page) noexcept;
    void verify_page(const Page& page, SlabStats& sum) const;

    SlabLayout layout_;
    std::string name_;
    Page* partial_ = nullptr;
    Page* full_ = nullptr;
    std::size_t full_pages_ = 0;
    Page* empty_ = nullptr;  ///< at most one, filed nowhere
    std::size_t pages_ = 0;
};

/// Objects of type T. Embedded in its user or made in the pool, and owns its pages; objects are
/// lent until destroyed or cleared. The pool's domain is held for everything. No memory: make()
/// aborts. Destroying what is no object of it, or was destroyed before, aborts.
template <class T>
class Slab final : public SlabBase {
  public:
    static constexpr SlabLayout layout = SlabLayout::of(sizeof(T), alignof(T));
    static_assert(layout.count >= 1, "an object of a slab must fit into a page");
    static_assert(alignof(T) <= 64);

    /// Domain of the pool held, here and everywhere.
    Slab(Pool& pool, std::string_view name, locking::Here where = locking::Here::now())
        : SlabBase(pool, name, layout, where) {}

    /// Destroys what is left.
    ~Slab() override { clear(); }

    template <class... A>
    T& make(A&&... arguments) {
        void* slot = allocate();
        if (slot == nullptr) [[unlikely]]
            exhausted(locking::Here{__FILE__, __LINE__});
        return *::new (slot) T(std::forward<A>(arguments)...);
    }

    /// nullptr if there is no memory.
    template <class... A>
    [[nodiscard]] T* try_make(A&&... arguments) {
        void* slot = allocate();
        return slot == nullptr ? nullptr : ::new (slot) T(std::forward<A>(arguments)...);
    }

    template <class... A>
    Owned<T> make_owned(A&&... arguments) {
        T& object = make(std::forward<A>(arguments)...);
        return Owned<T>(object, &object, this, [](void* home, void* origin) noexcept {
            static_cast<Slab*>(home)->destroy(*static_cast<T*>(origin));
        });
    }

    // Inlined, as allocate(), so that the place of the call is put together only when it is needed.
    [[gnu::always_inline]] void destroy(T& object,
                                        locking::Here where = locking::Here::now()) noexcept {
        check(where);
        auto* slot = reinterpret_cast<std::byte*>(&object);
        const auto address = reinterpret_cast<std::uintptr_t>(slot);
        const std::size_t index = layout.slot_at(address);
        if (!holds_page_of(slot) || !layout.is_slot(address)) [[unlikely]] {
            parent()->bad_object(*this, &object, "not an object of this slab", where);
        }
        if (slot == spare_ || Page::of(slot).is_free(slot, index, layout.count)) [[unlikely]] {
            parent()->bad_object(*this, &object, "destroyed twice", where);
        }
        object.~T();
        give_slot(slot, index, layout);
    }

    /// Destroys all objects and gives all pages back.
    void clear(locking::Here where = locking::Here::now()) noexcept {
        check(where);
        if constexpr (!std::is_trivially_destructible_v<T>) {
            for_each_slot(layout,
                          [](std::byte* slot) { std::launder(reinterpret_cast<T*>(slot))->~T(); });
        }
        drop_pages();
    }

    /// Visits all objects, in no particular order; `use` may change but not make or destroy them.
    template <class F>
    void for_each(F&& use, locking::Here where = locking::Here::now()) {
        check(where);
        for_each_slot(layout,
                      [&](std::byte* slot) { use(*std::launder(reinterpret_cast<T*>(slot))); });
    }

  private:
    [[gnu::always_inline]] void* allocate() {
        check(locking::Here::now());
        if (spare_ != nullptr) [[likely]]
            return std::exchange(spare_, nullptr);
        return take_slot();
    }
};

}  // namespace tern::alloc
