#pragma once

/// Objects of one type that any thread may make and any other destroy, without a lock of the user.
/// Each thread keeps a stock of the addresses of free slots; batches go to and from a depot under a
/// leaf domain, which also returns slots to their pages and empty pages to the cache. What is free
/// is not touched, so it need not come to the core that freed it; where a destructor has touched it
/// already, a mark stays in it for whoever destroys it once more. Owned by whoever embeds it; all
/// objects must be destroyed before it is. Usable inside an RCU read section. It never calls its
/// user but for constructors and destructors, and never with the leaf held.

#include "alloc/magazine.h"
#include "alloc/page_cache.h"
#include "alloc/slab.h"
#include "alloc/slab_page.h"
#include "locking/domain.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tern::alloc {

/// Level of the depots of shared slabs; outside the page depot, which they call.
struct SharedSlabLevel {
    static constexpr locking::LockRank rank = 64000;
    static constexpr std::string_view name = "shared slab";
};

/// Everything about a shared slab that does not depend on the type. Any thread; its own domain, the
/// depot, is a leaf but for the cache's.
class SharedSlabBase : public detail::MagazineOwner {
  public:
    std::string_view name() const { return name_; }

    /// live and slots are exact when no other thread is inside; live_peak is not kept.
    SlabStats stats() const noexcept;
    MemoryUsage memory() const noexcept;

    /// Whether an address lies in a page of this slab, and what is there: for reports.
    bool contains(const void* address) const noexcept;
    std::string_view part_at(const void* address) const noexcept;

    /// Aborts unless pages, stocks and counters agree; no other thread may be inside.
    void verify() const;

  protected:
    SharedSlabBase(PageCache& cache, std::string_view name, const SlabLayout& layout);

    ~SharedSlabBase() override {
        withdraw();
        finish();
    }

    /// `marked`: see below, each time the same.
    void* allocate(bool marked) noexcept {
        void* object = pop();
        if (object == nullptr) return nullptr;
        poison_.reveal(object, layout_.size);
        if (marked) *static_cast<volatile std::uint64_t*>(object) = 0;
        return object;
    }

    [[noreturn, gnu::cold]] void exhausted(locking::Here where) const noexcept;

    void check(const void* object, bool marked, locking::Here where) const noexcept {
        if (!cache_.has_region_at(object) || !Page::of(object).held_by(holder_)) [[unlikely]]
            bad_object(object, "not an object of this slab", where);
        if (Poison::hidden(object) || may_be_last(object) || (marked && has_mark(object)))
            [[unlikely]] {
            refuse_free(object, where);
        }
    }

    void deallocate(void* object, bool marked) noexcept {
        if (marked) *static_cast<volatile std::uint64_t*>(object) = mark_of(object);
        poison_.hide(object, layout_.size);
        push(object);
    }

  private:
    using Page = SlabPage;

    /// The first word of a marked object that was destroyed. One that lives may look like that,
    /// too.
    std::uint64_t mark_of(const void* object) const {
        return reinterpret_cast<std::uintptr_t>(object) ^ holder_ * 0x9e3779b97f4a7c15;
    }

    bool has_mark(const void* object) const {
        std::uint64_t word = 0;
        std::memcpy(&word, object, sizeof(word));
        return word == mark_of(object);
    }

    /// Of small objects more go at once, so that threads meet less often.
    static constexpr std::uint32_t batch_for(const SlabLayout& layout) {
        return layout.count >= detail::batch_max ? detail::batch_max : detail::batch_max / 2;
    }

    /// What the depot keeps before it returns slots to their pages. Each may hold back a page, for
    /// as long as nobody takes it, so they are few.
    static constexpr std::size_t spare_max = 2 * detail::batch_max;

    std::size_t depot_take(std::span<void*> room) noexcept override { return take_spare(room); }

    void depot_give(std::span<void* const> objects) noexcept override { give_spare(objects); }

    void hold_for_fork() noexcept override { depot_.hold_for_fork(); }

    void release_after_fork(locking::ForkSide side) noexcept override {
        depot_.release_after_fork(side);
    }

    std::uint64_t handed_out() const noexcept override {
        return pages_ * layout_.count - free_in_pages_ - spare_count_ - totals().stocked;
    }

    std::size_t take_spare(std::span<void*> room) noexcept;
    void give_spare(std::span<void* const> objects) noexcept;
    void finish() noexcept;

    /// Where else than in stocks a free object lies; empty if it is not there.
    std::string_view free_place(const void* object) const noexcept;
    /// Aborts if the object lies among the free ones.
    [[gnu::cold]] void refuse_free(const void* object, locking::Here where) const noexcept;
    /// With the pool of the resource that it is, if it is one.
    void add_name(locking::TextBuffer& text) const;
    [[noreturn, gnu::cold]] void bad_object(const void* object,
                                            std::string_view why,
                                            locking::Here where) const;

    // Depot held.
    Page* page_with_room() noexcept;
    /// To their pages.
    void return_objects(std::span<void* const> objects) noexcept;
    void note_returned(Page& page, std::size_t objects, bool was_full) noexcept;

    template <class T>
    friend class PoolSharedSlab;

    PageCache& cache_;
    const Resource* resource_ = nullptr;               ///< that it is in
    const std::uint64_t holder_ = next_page_holder();  ///< marks its pages
    SlabLayout layout_;
    Poison poison_;
    std::string name_;
    mutable locking::Domain<SharedSlabLevel> depot_{"shared slab"};
    void* spare_[spare_max];
    std::size_t spare_count_ = 0;
    Page* partial_ = nullptr;  ///< pages with free slots of their own
    std::size_t pages_ = 0;
    std::size_t free_in_pages_ = 0;
};

/// Objects of type T for any thread. Owned by whoever embeds it, in no domain; it may not end with
/// objects alive. No memory: make() aborts. In the reports of a pool it is as a PoolSharedSlab.
template <class T>
class SharedSlab final : public SharedSlabBase {
  public:
    static constexpr SlabLayout layout = SlabLayout::of(sizeof(T), alignof(T));
    static_assert(layout.count >= 1, "an object of a slab must fit into a page");
    static_assert(alignof(T) <= 64);

    /// The cache is borrowed for the slab's life.
    SharedSlab(PageCache& cache, std::string_view name) : SharedSlabBase(cache, name, layout) {}

    template <class... A>
    T& make(A&&... arguments) {
        void* slot = allocate(marked);
        if (slot == nullptr) [[unlikely]]
            exhausted(locking::Here{__FILE__, __LINE__});
        return *::new (slot) T(std::forward<A>(arguments)...);
    }

    /// nullptr if there is no memory.
    template <class... A>
    [[nodiscard]] T* try_make(A&&... arguments) {
        void* slot = allocate(marked);
        return slot == nullptr ? nullptr : ::new (slot) T(std::forward<A>(arguments)...);
    }

    /// Any thread. What lies in no page of this slab aborts at once, and so does an object that was
    /// destroyed before if it has a destructor, or if it was the last one that this thread
    /// destroyed. Of the others it shows when their batch goes back to the pages.
    void destroy(T& object, locking::Here where = locking::Here::now()) noexcept {
        check(&object, marked, where);
        object.~T();
        deallocate(&object, marked);
    }

    template <class... A>
    Owned<T> make_owned(A&&... arguments) {
        T& object = make(std::forward<A>(arguments)...);
        return Owned<T>(object, &object, this, [](void* home, void* origin) noexcept {
            static_cast<SharedSlab*>(home)->destroy(*static_cast<T*>(origin));
        });
    }

  private:
    /// Whether what is free has a mark. What is not touched when it ends is not touched for that
    /// either: it would have to come to the core that frees it, and go back.
    static constexpr bool marked = !std::is_trivially_destructible_v<T> && alignof(T) >= 8;
};

/// A shared slab that is a resource of a pool: listed in its reports and found by address. Made and
/// destroyed with the pool's domain held, used by any thread.
template <class T>
class PoolSharedSlab final : public Resource {
  public:
    PoolSharedSlab(Pool& pool, std::string_view name, locking::Here where = locking::Here::now())
        : Resource(&pool, where), slab_(pool.cache(), name) {
        slab_.resource_ = this;
    }

    SharedSlab<T>& slab() { return slab_; }

    std::string_view kind() const override { return "shared slab"; }

    std::string_view name() const override { return slab_.name(); }

    MemoryUsage memory() const override { return slab_.memory() += MemoryUsage{0, sizeof(*this)}; }

    bool contains(const void* address) const override { return slab_.contains(address); }

    std::string_view part_at(const void* address) const override { return slab_.part_at(address); }

  private:
    SharedSlab<T> slab_;
};

}  // namespace tern::alloc
