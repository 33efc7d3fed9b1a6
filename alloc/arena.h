#pragma once

/// Bump allocation for things that die together: a parse, a command, one run of a filter.
/// An Arena takes pages from a PageCache and gives them back on rewind, reset or destruction, in
/// one step however many they are if all go; no destructors run, so only trivially destructible
/// things may live there. It belongs to one thread at a time or, when made with a pool, to the
/// pool's domain, which is then checked. Pointers stay valid until a rewind to an earlier mark. It
/// never moves anything.

#include "alloc/page_cache.h"
#include "alloc/poison.h"
#include "alloc/pool.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tern::alloc {

/// One stack of bytes. Owned by its user, one thread at a time (or the domain of its pool, see
/// PoolArena); owns its pages, lends the bytes until a rewind. No memory: aborts.
class Arena {
  public:
    explicit Arena(PageCache& cache = PageCache::process()) : cache_(cache) {}

    ~Arena() { release_all(); }

    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    /// Undefined bytes; `alignment` is a power of two up to 64. Aborts if there is no memory.
    void* allocate(std::size_t bytes, std::size_t alignment = alignof(std::max_align_t)) {
        check();
        const std::uintptr_t start = (at_ + alignment - 1) & ~(std::uintptr_t{alignment} - 1);
        if (bytes <= end_ - start && start <= end_) [[likely]] {
            at_ = start + bytes;
            poison_.reveal(reinterpret_cast<void*>(start), bytes);
            return reinterpret_cast<void*>(start);
        }
        return allocate_slow(bytes, alignment);
    }

    template <class T, class... A>
    T& make(A&&... arguments) {
        static_assert(std::is_trivially_destructible_v<T>, "an arena runs no destructors");
        return *::new (allocate(sizeof(T), alignof(T))) T(std::forward<A>(arguments)...);
    }

    /// Value-initialised elements.
    template <class T>
    std::span<T> make_array(std::size_t count) {
        static_assert(std::is_trivially_destructible_v<T>, "an arena runs no destructors");
        T* first = static_cast<T*>(allocate(count * sizeof(T), alignof(T)));
        for (std::size_t i = 0; i < count; ++i) {
            ::new (first + i) T();
        }
        return {first, count};
    }

    std::string_view copy(std::string_view text) {
        if (text.empty()) return {};
        auto* bytes = static_cast<char*>(allocate(text.size(), 1));
        std::memcpy(bytes, text.data(), text.size());
        return {bytes, text.size()};
    }

    template <class T>
    std::span<T> copy(std::span<const T> elements) {
        static_assert(std::is_trivially_copyable_v<T>);
        if (elements.empty()) return {};
        auto* first = static_cast<T*>(allocate(elements.size_bytes(), alignof(T)));
        std::memcpy(static_cast<void*>(first), elements.data(), elements.size_bytes());
        return {first, elements.size()};
    }

    /// A moment to go back to; later marks are void after that.
    struct Mark {
        const void* page = nullptr;
        const void* large = nullptr;
        std::uintptr_t at = 1;
    };

    Mark mark() const { return {newest_, large_, at_}; }

    /// Frees all that was allocated since; the first page stays for the next scope. A mark that is
    /// void aborts where that shows.
    void rewind(const Mark& mark) noexcept;
    /// Frees everything but keeps one page for the next use.
    void reset() noexcept;
    /// Frees everything.
    void release_all() noexcept;

    /// Rewinds at the end of the scope. Scopes of one arena end in the reverse order of their
    /// beginning; any other order aborts.
    class [[nodiscard]] Scope {
      public:
        explicit Scope(Arena& arena)
            : arena_(arena), mark_(arena.mark()), depth_(++arena.scopes_) {}

        ~Scope() {
            TERN_ASSERT(arena_.scopes_ == depth_, "scope of an arena ended before one within it");
            --arena_.scopes_;
            arena_.rewind(mark_);
        }

        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;

        Arena& arena() const { return arena_; }

      private:
        Arena& arena_;
        Mark mark_;
        std::size_t depth_;  ///< 1: the outermost
    };

    /// Whether some scope is open.
    bool in_scope() const { return scopes_ != 0; }

    /// Bytes of the pages held, with all overhead.
    std::size_t held_bytes() const { return pages_ * page_bytes + large_bytes_; }

    bool contains(const void* address) const;

  private:
    friend class PoolArena;

    /// Head of a run of pages for one large thing.
    struct Large {
        Large* previous;
        std::size_t pages;
    };

    static constexpr std::size_t head_bytes = 16;
    /// Larger requests get pages of their own.
    static constexpr std::size_t large_bytes_min = page_bytes / 2;

    void check() const {
        if (resource_ != nullptr) resource_->parent()->check(locking::Here{__FILE__, __LINE__});
    }

    void* allocate_slow(std::size_t bytes, std::size_t alignment);
    void* allocate_large(std::size_t bytes, std::size_t alignment);
    void drop_pages(const void* until) noexcept;
    void drop_pages_but_oldest() noexcept;
    void drop_large(const void* until) noexcept;

    PageCache& cache_;
    const Resource* resource_ = nullptr;  ///< it is the arena of
    std::uintptr_t at_ = 1;               ///< beyond the end while there is no page
    std::uintptr_t end_ = 0;
    PageNote* newest_ = nullptr;  ///< of its pages, linked by their notes; `at_` points into it
    PageNote* oldest_ = nullptr;
    std::size_t pages_ = 0;   ///< in that list
    Large* large_ = nullptr;  ///< newest first
    std::size_t large_bytes_ = 0;
    std::size_t scopes_ = 0;  ///< open
    Poison poison_;
};

/// An arena that is a resource of a pool: listed in its reports, checked against its domain. Owned
/// by the pool or embedded in its user; the domain is held for everything but arena().
class PoolArena final : public Resource {
  public:
    PoolArena(Pool& pool, std::string_view name, locking::Here where = locking::Here::now());
    ~PoolArena() override = default;

    Arena& arena() { return arena_; }

    std::string_view kind() const override { return "arena"; }

    std::string_view name() const override { return name_; }

    MemoryUsage memory() const override { return {arena_.held_bytes(), sizeof(*this)}; }

    bool contains(const void* address) const override { return arena_.contains(address); }

  private:
    std::string name_;
    Arena arena_;
};

/// The scratch arena of this thread, over the cache of the process. Use it in a Scope only:
/// `Arena::Scope scope(scratch());` Between scopes it keeps one page, until the thread ends.
Arena& scratch();
/// Gives back that page, too; nothing happens within a scope. For threads that become idle.
void trim_scratch() noexcept;

}  // namespace tern::alloc
