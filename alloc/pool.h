#pragma once

/// Pools: a tree of resources, each pool bound for life to one lock domain.
/// Every operation on a pool or on a resource in it aborts unless this thread holds the domain, in
/// every build. A child pool has the same domain as its parent or one of higher rank, so that walks
/// (report, mass free, search) lock and unlock on the way down without ever going against the
/// order. A pool owns what was made in it and destroys it in reverse order; what is merely embedded
/// in another object registers here for the reports and must be gone before the pool is.

#include "alloc/memory_report.h"
#include "alloc/owned.h"
#include "alloc/page_cache.h"
#include "locking/domain.h"

#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tern::alloc {

class Pool;

/// A member of a pool. Derive to be listed in reports and destroyed with the pool.
class Resource {
  public:
    Resource(const Resource&) = delete;
    Resource& operator=(const Resource&) = delete;

    /// What it is, for reports: "slab", "arena".
    virtual std::string_view kind() const = 0;

    /// Which one it is; may be empty.
    virtual std::string_view name() const { return {}; }

    /// Domain held.
    virtual MemoryUsage memory() const = 0;
    /// Whether an address lies in memory of this resource. Domain held.
    virtual bool contains(const void* address) const = 0;

    /// What an address that it contains is there: "free slot". Domain held.
    virtual std::string_view part_at(const void*) const { return {}; }

    /// Whether it may move to a pool of another domain; what remembers its domain may not.
    virtual bool movable() const { return false; }

    /// Blocks of the pool that others have from it and still use. Domain held.
    virtual std::size_t blocks_lent() const { return 0; }

    /// nullptr for a root pool.
    Pool* parent() const { return parent_; }

  protected:
    /// Domain of the pool held. Roots have no parent.
    explicit Resource(Pool* parent, locking::Here where = locking::Here::now());

    /// Leaves the parent; domain of the parent held. Inline, like all virtual functions of classes
    /// meant to be derived from: then programs with and without RTTI can share the library.
    virtual ~Resource() { leave(); }

  private:
    friend class Pool;

    void leave() noexcept;

    virtual Pool* as_pool() { return nullptr; }

    /// What the memory is that an object was made in.
    enum class BlockKind : std::uint8_t {
        own,   ///< a block of malloc, or pages
        home,  ///< Pool::Home, of a pool
        room,  ///< Pool::Home::room
    };

    Pool* parent_;
    Resource* next_ = nullptr;  ///< made later
    Resource* previous_ = nullptr;
    // The block this object was made in by its pool; 0 bytes: embedded somewhere else.
    std::size_t block_bytes_ = 0;
    void* block_ = nullptr;
    BlockKind block_kind_ = BlockKind::own;
    bool plain_ = false;  ///< a block: ends after all that has a destructor and may still use it
};

/// What an address belongs to: names by value, since the resource may go any time.
struct AddressOwner {
    std::string pool;  ///< path of the pool
    /// Of the resource: "slab"; "pool" for the pool's own object, "page cache" for pages of others.
    std::string kind;
    std::string name;
    std::string part;  ///< what the address is inside, may be empty
};

/// A node of the tree. Owned by its parent, roots by their user. Its domain is held for every
/// operation but names, path() and the walks (usage, report, find), which take it. No memory: try_*
/// give nullptr, the others abort.
class Pool final : public Resource {
  public:
    /// A root. The domain and the cache are borrowed for the pool's life.
    Pool(locking::DomainBase& domain,
         std::string_view name,
         PageCache& cache = PageCache::process(),
         locking::Here where = locking::Here::now());

    /// Destroys everything inside. That is a walk like the others, so the domain of the pool is
    /// taken if not held, which aborts if the order forbids it; nobody else may use the pool any
    /// more. A child ends by its parent, whose domain must be held.
    ~Pool() override;

    /// A child with the domain of this pool. Domain held.
    Pool& child(std::string_view name, locking::Here where = locking::Here::now());

    /// A child with a domain further inside, order checked by type: `held` shows that the domain of
    /// this pool (of level H) is held. The child's domain need not be held.
    template <locking::Level L, locking::OuterTo<L> H>
    Pool& child(locking::Held<H>&,
                locking::Domain<L>& domain,
                std::string_view name,
                locking::Here where = locking::Here::now()) {
        return child_of(domain, name, where);
    }

    /// The same with the order checked at run time: same domain or strictly higher rank.
    Pool& child_of(locking::DomainBase& domain,
                   std::string_view name,
                   locking::Here where = locking::Here::now());

    /// A child that owns its domain (named as the pool); the domain goes when the pool does.
    template <locking::Level L>
    Pool& child_with_domain(std::string_view name, locking::Here where = locking::Here::now()) {
        check(where);
        using D = locking::Domain<L>;
        auto* domain = ::new (get_block(sizeof(D), alignof(D), where)) D(name);
        Pool& pool = child_of(*domain, name, where);
        pool.end_domain_ = [](Pool& owner, locking::DomainBase& old) {
            auto& typed = static_cast<D&>(old);
            typed.~D();
            owner.put_block(&typed, sizeof(D));
        };
        return pool;
    }

    /// Makes a T owned by the pool. A T derived from Resource gets this pool as first argument.
    template <class T, class... A>
    T& make(A&&... arguments) {
        constexpr locking::Here where{__FILE__, __LINE__};
        check(where);
        if constexpr (std::is_base_of_v<Resource, T>) {
            void* block = room_or_block(sizeof(T), alignof(T), where);
            T* object = ::new (block) T(*this, std::forward<A>(arguments)...);
            adopt_block(*object, block, sizeof(T));
            return *object;
        } else {
            constexpr std::size_t offset = payload_offset(alignof(T));
            void* block = get_block(offset + sizeof(T), block_alignment(alignof(T)), where);
            T* object =
                ::new (static_cast<std::byte*>(block) + offset) T(std::forward<A>(arguments)...);
            wrap(block, offset, sizeof(T), [](void* payload) { static_cast<T*>(payload)->~T(); });
            return *object;
        }
    }

    /// The same, destroyed by the pointer, which must end before the pool does.
    template <class T, class... A>
    Owned<T> make_owned(A&&... arguments) {
        T& object = make<T>(std::forward<A>(arguments)...);
        return Owned<T>(object, &object, this, [](void* home, void* origin) noexcept {
            static_cast<Pool*>(home)->destroy(*static_cast<T*>(origin));
        });
    }

    /// Destroys what make() of this pool returned. Domain held; that of a pool inside is taken on
    /// the way.
    template <class T>
    void destroy(T& object, locking::Here where = locking::Here::now()) noexcept {
        if constexpr (std::is_base_of_v<Resource, T>) {
            destroy_resource(object, where);
        } else {
            destroy_wrapped(&object, where);
        }
    }

    /// Raw bytes, aligned as malloc does. Domain held for all of these.
    void* block(std::size_t bytes, locking::Here where = locking::Here::now());
    /// nullptr if there is no memory, as the other one that tries.
    [[nodiscard]] void* try_block(std::size_t bytes, locking::Here where = locking::Here::now());
    /// `alignment` is a power of two up to a page.
    void* block_aligned(std::size_t bytes,
                        std::size_t alignment,
                        locking::Here where = locking::Here::now());
    /// Keeps the contents up to the smaller size; `block` may move and may be nullptr. The old
    /// block stays as it was if there is no memory.
    void* resize(void* block, std::size_t bytes, locking::Here where = locking::Here::now());
    [[nodiscard]] void* try_resize(void* block,
                                   std::size_t bytes,
                                   locking::Here where = locking::Here::now());
    /// nullptr is nothing; what is no block of this pool, or was one, aborts.
    void release(void* block, locking::Here where = locking::Here::now()) noexcept;

    /// Moves a resource made in another pool here. Both domains held; aborts before touching
    /// anything if one is not. A pool moves with all inside, if its domain fits below here.
    void adopt(Resource& resource, locking::Here where = locking::Here::now());
    /// The same for an object or block made there.
    void adopt_block_of(Pool& from, void* block, locking::Here where = locking::Here::now());

    /// Destroys everything inside, newest first, and then frees the blocks: an object may give back
    /// blocks of its own pool while it is destroyed. Domain held; those of pools inside are taken.
    /// Aborts if a container outside still uses blocks of the pool through an adapter.
    void clear(locking::Here where = locking::Here::now()) noexcept;

    /// Sum over the tree from here; domains are taken on the way.
    MemoryUsage usage();
    /// Describes the tree from here; domains are taken on the way.
    void report(MemoryVisitor& visitor);
    /// The same from a place that must not wait, such as the last words of a process: what lies in
    /// a domain that another thread holds is said to be busy and left out.
    void report_without_waiting(MemoryVisitor& visitor);

    /// What an address belongs to, if to anything from here on. Domains are taken on the way. An
    /// address that no resource claims but the pool's cache knows, such as that of an IoBuffer or
    /// of a free page, belongs to its "page cache".
    std::optional<AddressOwner> find(const void* address);

    locking::DomainBase& domain() const { return domain_; }

    PageCache& cache() const { return cache_; }

    /// Names from the root: "router/tables/master4". Domains need not be held: names and parents
    /// change only by adopt().
    std::string path() const;
    /// The same without memory.
    void add_path(locking::TextBuffer& text) const noexcept;

    /// Aborts with the path and both names unless this thread holds the domain.
    void check(locking::Here where) const {
        if (!domain_.held_by_this_thread()) [[unlikely]]
            misuse(where);
    }

    /// What check() says when the domain is not held; for those who have looked themselves.
    [[noreturn, gnu::cold]] void misuse(locking::Here where) const;

    /// For a resource of this pool that was given an address which cannot be right; says why.
    [[noreturn, gnu::cold]] void bad_object(const Resource& resource,
                                            const void* object,
                                            const char* why,
                                            locking::Here where) const;

    /// Aborts with last words: so many bytes were not to be had, for a resource of this pool or for
    /// the pool itself. Asks for no memory.
    [[noreturn, gnu::cold]] void exhausted(const Resource& user,
                                           std::size_t bytes,
                                           locking::Here where) const noexcept;

    std::string_view kind() const override { return "pool"; }

    std::string_view name() const override { return name_; }

    /// The pool itself without its contents.
    MemoryUsage memory() const override;
    bool contains(const void* address) const override;

  private:
    friend class Resource;

    /// The block of a pool that was made in another.
    struct Home;
    /// Head of an object or block that is not a Resource itself; lies right before it.
    class Wrapped;
    static constexpr std::size_t wrapped_bytes = 80;

    static constexpr std::size_t block_alignment(std::size_t alignment) {
        return alignment > 16 ? alignment : 16;
    }

    /// Of the payload in its block; the head lies right before the payload.
    static constexpr std::size_t payload_offset(std::size_t alignment) {
        return round_up(wrapped_bytes, block_alignment(alignment));
    }

    // For make() of a child pool.
    Pool(Pool& parent, locking::DomainBase& domain, std::string_view name, locking::Here where);

    Pool* as_pool() override { return this; }

    Home* home() const { return static_cast<Home*>(block_); }

    void* room_or_block(std::size_t bytes, std::size_t alignment, locking::Here where);
    void* get_block(std::size_t bytes, std::size_t alignment, locking::Here where);
    void* try_get_block(std::size_t bytes, std::size_t alignment);
    void put_block(void* block, std::size_t bytes) noexcept;
    void adopt_block(Resource& resource, void* block, std::size_t bytes);
    void include_block(const Resource& resource) noexcept;
    void leave_room(void* room) noexcept;
    void leave_home(Home& home, const void* start, std::size_t bytes) noexcept;
    void wrap(void* block, std::size_t offset, std::size_t bytes, void (*end)(void* payload));
    void destroy_resource(Resource& resource, locking::Here where) noexcept;
    void destroy_wrapped(void* payload, locking::Here where) noexcept;
    Wrapped& wrapped_of(void* payload, locking::Here where);
    bool may_own(const void* payload) const noexcept;
    static void prefetch(const Resource* resource) noexcept;
    void destroy_objects(locking::Here where) noexcept;
    void refuse_borrowers(locking::Here where) const;
    void link(Resource& resource) noexcept;
    void unlink(Resource& resource) noexcept;
    std::optional<AddressOwner> find_inside(const void* address);
    MemoryUsage walk(MemoryVisitor* visitor, bool may_wait);
    MemoryUsage walk_inside(MemoryVisitor* visitor, bool may_wait);
    void refuse_rank(const Pool& pool, const char* what, locking::Here where) const;

    locking::DomainBase& domain_;
    PageCache& cache_;
    std::string name_;
    /// Ends the domain that this pool owns, if it does.
    void (*end_domain_)(Pool& pool, locking::DomainBase& domain) = nullptr;

    struct List {
        Resource* newest = nullptr;
        Resource* oldest = nullptr;
    };

    List& list_of(const Resource& resource) { return resource.plain_ ? blocks_ : objects_; }

    List objects_;
    List blocks_;
    // All blocks that it has had of malloc lie in there: memory elsewhere may not exist.
    std::uintptr_t lowest_block_ = 0;
    std::uintptr_t blocks_extent_ = 0;
};

}  // namespace tern::alloc
