#pragma once

/// Objects of one type that any thread may make and any other destroy, without a lock of the user.
/// Each thread keeps a stock of free slots; whole chains go to and from a depot under a leaf
/// domain, which also returns slots to their pages and empty pages to the cache. Owned by whoever
/// embeds it; all objects must be destroyed before it is. Usable inside an RCU read section. It
/// never calls its user but for constructors and destructors, and never with the leaf held.

#include "alloc/magazine.h"
#include "alloc/page_cache.h"
#include "alloc/slab.h"
#include "locking/domain.h"

#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace tern::alloc {

/// Level of the depots of shared slabs; outside the page depot, which they call.
struct SharedSlabLevel {
    static constexpr locking::LockRank rank = 64000;
    static constexpr std::string_view name = "shared slab";
};

class SharedSlabBase : public detail::MagazineOwner {
  public:
    std::string_view name() const { return name_; }

    /// live and slots are exact when no other thread is inside; live_peak is not kept.
    SlabStats stats() const noexcept;
    MemoryUsage memory() const noexcept;

    /// Aborts unless pages, chains and counters agree; no other thread may be inside.
    void verify() const;

  protected:
    SharedSlabBase(PageCache& cache, std::string_view name, const SlabLayout& layout);

    ~SharedSlabBase() override {
        withdraw();
        finish();
    }

    void* allocate() noexcept;
    void deallocate(void* object) noexcept;

  private:
    struct Page;
    static constexpr std::uint32_t chain_objects = 32;
    /// Chains that the depot keeps before it takes them apart.
    static constexpr std::size_t depot_chains_max = 16;

    detail::Chain depot_take(std::uint32_t wanted) noexcept override { return take_chain(wanted); }

    void depot_give(detail::Chain chain) noexcept override { give_chain(chain); }

    void hold_for_fork() noexcept override { depot_.hold_for_fork(); }

    void release_after_fork(locking::ForkSide side) noexcept override {
        depot_.release_after_fork(side);
    }

    bool calls_other_owners() const noexcept override { return true; }

    std::uint64_t handed_out() const noexcept override {
        return pages_ * layout_.count - free_in_pages_ - chained_objects_ - totals().stocked;
    }

    detail::Chain take_chain(std::uint32_t wanted) noexcept;
    void give_chain(detail::Chain chain) noexcept;
    void finish() noexcept;

    // Depot held.
    Page* page_with_room() noexcept;
    void return_object(detail::FreeItem* item) noexcept;
    void file(Page& page) noexcept;
    void unfile(Page& page) noexcept;

    PageCache& cache_;
    SlabLayout layout_;
    Poison poison_;
    std::string name_;
    mutable locking::Domain<SharedSlabLevel> depot_{"shared slab"};
    detail::FreeItem* chains_ = nullptr;
    std::size_t chains_count_ = 0;
    std::size_t chained_objects_ = 0;
    Page* partial_ = nullptr;  ///< pages with free slots of their own
    std::size_t pages_ = 0;
    std::size_t free_in_pages_ = 0;
};

template <class T>
class SharedSlab final : public SharedSlabBase {
  public:
    /// A free slot holds the links of a chain.
    static constexpr SlabLayout layout = SlabLayout::of(
        sizeof(T) > sizeof(detail::FreeItem) ? sizeof(T) : sizeof(detail::FreeItem),
        alignof(T) > alignof(detail::FreeItem) ? alignof(T) : alignof(detail::FreeItem));
    static_assert(layout.count >= 1, "an object of a slab must fit into a page");
    static_assert(alignof(T) <= 64);

    /// The cache is borrowed for the slab's life.
    SharedSlab(PageCache& cache, std::string_view name) : SharedSlabBase(cache, name, layout) {}

    template <class... A>
    T& make(A&&... arguments) {
        void* slot = allocate();
        TERN_ASSERT(slot != nullptr, "out of memory in shared slab ", name());
        return *::new (slot) T(std::forward<A>(arguments)...);
    }

    /// nullptr if there is no memory.
    template <class... A>
    [[nodiscard]] T* try_make(A&&... arguments) {
        void* slot = allocate();
        return slot == nullptr ? nullptr : ::new (slot) T(std::forward<A>(arguments)...);
    }

    /// Any thread.
    void destroy(T& object) noexcept {
        object.~T();
        deallocate(&object);
    }

    template <class... A>
    Owned<T> make_owned(A&&... arguments) {
        T& object = make(std::forward<A>(arguments)...);
        return Owned<T>(object, &object, this, [](void* home, void* origin) noexcept {
            static_cast<SharedSlab*>(home)->destroy(*static_cast<T*>(origin));
        });
    }
};

}  // namespace tern::alloc
