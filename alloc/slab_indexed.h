#pragma once

/// Objects that a dense 32-bit id names: half the size of a pointer, stable, good as an array
/// index. Belongs to a domain like Slab: making and destroying need it. Turning an id into its
/// object needs no lock, since neither pages nor the directory ever move; the caller must know by
/// other means (the domain, a use count, RCU) that the object lives. Ids of destroyed objects are
/// used again, lowest pages first by chance only. Emptied pages keep their place in the id space
/// but not their memory.

#include "alloc/pool.h"
#include "alloc/slab_page.h"

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tern::alloc {

/// Everything about an indexed slab that does not depend on the type.
class IndexedSlabBase : public Resource {
  public:
    std::string_view kind() const override { return "indexed slab"; }

    std::string_view name() const override { return name_; }

    MemoryUsage memory() const override { return usage_now(); }

    bool contains(const void* address) const override { return has_page_of(address); }

    /// Domain held.
    std::size_t live() const { return live_; }

    /// One more than the highest id given so far.
    std::uint32_t id_bound() const { return page_numbers_ * count_; }

    /// Pages that have memory. Domain held.
    std::size_t pages() const { return pages_; }

    /// Aborts unless directory, heads, bitmaps and counters agree. Domain held.
    void verify() const;

    /// Goes on with this page as if all before had been used and emptied; for the test of the end
    /// of the id space. The slab must be new.
    void test_skip_pages(std::uint32_t number) noexcept {
        page_numbers_ = number;
        first_hole_ = number;
    }

  protected:
    /// SlotBits::label is the number of the page; listed are those with room.
    using Page = SlabPage;

    IndexedSlabBase(Pool& pool,
                    std::string_view name,
                    const SlabLayout& layout,
                    locking::Here where);

    ~IndexedSlabBase() override { finish(); }

    /// Domain held; nullptr if there is no memory or no id left.
    std::byte* take(locking::Here where) noexcept;
    /// Of memory, or of ids.
    [[noreturn, gnu::cold]] void exhausted(locking::Here where) const noexcept;
    void give(void* object, locking::Here where) noexcept;
    void drop_pages() noexcept;

    /// The page of a number, or nullptr; any thread.
    std::byte* page_at(std::uint32_t number) const {
        // Segment k holds the pages [512 * (2^k - 1), 512 * (2^(k+1) - 1)).
        const std::uint32_t shifted = number / first_segment + 1;
        const auto segment = static_cast<std::uint32_t>(std::bit_width(shifted)) - 1;
        const std::uint32_t start = first_segment * ((std::uint32_t{1} << segment) - 1);
        const std::atomic<std::byte*>* pages = segments_[segment].load(std::memory_order_acquire);
        if (pages == nullptr) return nullptr;
        return pages[number - start].load(std::memory_order_acquire);
    }

    std::byte* object_at(std::uint32_t id) const {
        std::byte* page = page_at(id / count_);
        TERN_ASSERT(page != nullptr, "no object has the id ", id, " in ", name_);
        return page + id % count_ * layout_.size;
    }

    std::uint32_t id_at(const void* object) const {
        if (!cache_.has_region_at(object) || !Page::of(object).held_by(holder_)) [[unlikely]]
            parent()->bad_object(*this, object, "not an object of this slab", locking::Here::now());
        return SlotBits::of(object).label * count_ +
               static_cast<std::uint32_t>(Page::index_of(object, layout_));
    }

    bool lives(std::uint32_t id) const;
    /// The id of an object that lives; aborts otherwise.
    std::uint32_t live_id_at(const void* object, locking::Here where) const;

    template <class F>
    void for_each_live(F&& use) const {
        for (std::uint32_t id = 0; id < id_bound(); ++id) {
            if (lives(id)) use(id, object_at(id));
        }
    }

    void check(locking::Here where) const { parent()->check(where); }

  private:
    static constexpr std::uint32_t first_segment = page_bytes / sizeof(void*);
    static constexpr std::size_t segments_max = 24;

    MemoryUsage usage_now() const;
    bool has_page_of(const void* address) const;
    void finish() noexcept;
    Page* new_page() noexcept;
    bool ids_left() const;
    bool grow_directory(std::uint32_t number) noexcept;
    std::atomic<std::byte*>& entry(std::uint32_t number) noexcept;

    PageCache& cache_;
    const std::uint64_t holder_ = next_page_holder();  ///< marks its pages
    SlabLayout layout_;
    std::uint32_t count_;  ///< objects per page
    Poison poison_;
    std::string name_;
    std::atomic<std::atomic<std::byte*>*> segments_[segments_max] = {};
    Page* with_room_ = nullptr;
    std::uint32_t page_numbers_ = 0;  ///< numbers used so far
    std::uint32_t holes_ = 0;         ///< numbers among them without a page
    std::uint32_t first_hole_ = 0;    ///< no hole before this
    std::size_t pages_ = 0;
    std::size_t live_ = 0;
};

/// Objects of type T by id. Embedded in its user or made in the pool, and owns pages and directory.
/// The pool's domain is held where nothing else is said. No memory or no id left: make() aborts.
/// Destroying what is no object of it, or was destroyed before, aborts.
template <class T>
class IndexedSlab final : public IndexedSlabBase {
  public:
    static constexpr SlabLayout layout = SlabLayout::of(sizeof(T), alignof(T));
    static_assert(layout.count >= 1, "an object of a slab must fit into a page");
    static_assert(alignof(T) <= 64);

    /// Domain of the pool held, here and where nothing else is said.
    IndexedSlab(Pool& pool, std::string_view name, locking::Here where = locking::Here::now())
        : IndexedSlabBase(pool, name, layout, where) {}

    ~IndexedSlab() override { clear(); }

    template <class... A>
    T& make(A&&... arguments) {
        void* slot = take(locking::Here{__FILE__, __LINE__});
        if (slot == nullptr) [[unlikely]]
            exhausted(locking::Here{__FILE__, __LINE__});
        return *::new (slot) T(std::forward<A>(arguments)...);
    }

    /// nullptr if there is no memory or no id left.
    template <class... A>
    [[nodiscard]] T* try_make(A&&... arguments) {
        void* slot = take(locking::Here{__FILE__, __LINE__});
        return slot == nullptr ? nullptr : ::new (slot) T(std::forward<A>(arguments)...);
    }

    void destroy(T& object, locking::Here where = locking::Here::now()) noexcept {
        check(where);
        live_id_at(&object, where);
        object.~T();
        give(&object, where);
    }

    /// Any thread; the object of this id must live. An id whose page is gone aborts; one whose slot
    /// is free is not noticed.
    T& operator[](std::uint32_t id) const {
        return *std::launder(reinterpret_cast<T*>(object_at(id)));
    }

    /// Any thread.
    std::uint32_t id_of(const T& object) const { return id_at(&object); }

    /// The object of an id, or nullptr if there is none. Domain held.
    T* find(std::uint32_t id, locking::Here where = locking::Here::now()) const {
        check(where);
        return lives(id) ? std::launder(reinterpret_cast<T*>(object_at(id))) : nullptr;
    }

    /// Calls `use(id, T&)` in the order of ids.
    template <class F>
    void for_each(F&& use, locking::Here where = locking::Here::now()) const {
        check(where);
        for_each_live([&](std::uint32_t id, std::byte* slot) {
            use(id, *std::launder(reinterpret_cast<T*>(slot)));
        });
    }

    /// Destroys all objects and gives all pages back.
    void clear(locking::Here where = locking::Here::now()) noexcept {
        check(where);
        if constexpr (!std::is_trivially_destructible_v<T>) {
            for_each_live([](std::uint32_t, std::byte* slot) {
                std::launder(reinterpret_cast<T*>(slot))->~T();
            });
        }
        drop_pages();
    }
};

}  // namespace tern::alloc
