#include "alloc/pool.h"

#include "locking/lock_report.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace tern::alloc {

using locking::Here;
using locking::HolderText;
using locking::TransitLock;

namespace {

/// What malloc spends on each block, as everybody assumes.
constexpr std::size_t malloc_overhead = 16;

/// Blocks from this size on come as pages of their own.
constexpr std::size_t page_block_min = page_bytes - page_bytes / 8;

}  // namespace

/// The block of a child. The resource that is made first in it lies behind it: what is freed
/// together lies together, and it is one block less to take and to free.
struct Pool::Home {
    /// A Slab fits.
    static constexpr std::size_t room_bytes = 248;

    /// The pool, and the resource in the room if another pool has adopted it.
    std::atomic<std::uint32_t> owners{1};
    /// Bytes; 0: nobody is there. What has moved keeps its room until the pool has gone too.
    std::uint32_t room_used = 0;
    alignas(16) std::byte pool[sizeof(Pool)];
    alignas(16) std::byte room[room_bytes];

    static Home& of_room(void* room) {
        return *reinterpret_cast<Home*>(static_cast<std::byte*>(room) - offsetof(Home, room));
    }
};

/// Head of an object or block that is not a Resource itself; the payload lies right behind it.
class Pool::Wrapped final : public Resource {
  public:
    Wrapped(Pool& pool, std::size_t offset, std::size_t bytes, void (*end)(void*), Here where)
        : Resource(&pool, where),
          bytes_(bytes),
          end_(end),
          offset_(static_cast<std::uint32_t>(offset)) {
        set_mark(alive);
    }

    ~Wrapped() override {
        if (end_ != nullptr) end_(payload());
        set_mark(dead);
    }

    /// In numbers, since nobody knows yet whether the payload is one.
    static Wrapped* of(void* payload) {
        return reinterpret_cast<Wrapped*>(reinterpret_cast<std::uintptr_t>(payload) -
                                          wrapped_bytes);
    }

    std::string_view kind() const override { return end_ == nullptr ? "block" : "object"; }

    bool movable() const override { return true; }

    MemoryUsage memory() const override { return {bytes_, offset_ + malloc_overhead}; }

    bool contains(const void* address) const override {
        const auto* at = static_cast<const std::byte*>(address);
        const auto* end = reinterpret_cast<const std::byte*>(this) + wrapped_bytes;
        return at >= end - offset_ && at < end + bytes_;
    }

    std::byte* payload() { return reinterpret_cast<std::byte*>(this) + wrapped_bytes; }

    std::size_t bytes() const { return bytes_; }

    bool has_mark(std::uint32_t mark) const { return peek(&mark_) == (mark ^ address_part()); }

    static constexpr std::uint32_t alive = 0x5eedb10c;
    static constexpr std::uint32_t dead = 0xdeadb10c;

  private:
    std::uint32_t address_part() const {
        return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(this));
    }

    /// Kept although the object ends: it is for whoever comes too late.
    void set_mark(std::uint32_t mark) {
        *static_cast<volatile std::uint32_t*>(&mark_) = mark ^ address_part();
    }

    std::size_t bytes_;
    void (*end_)(void* payload);
    std::uint32_t offset_;  ///< of the payload in the block
    // Far behind, where a freed block is not written to.
    std::uint32_t mark_;
};

// Resource -----------------------------------------------------------------------------------

Resource::Resource(Pool* parent, Here where) : parent_(parent) {
    if (parent_ == nullptr) return;
    parent_->check(where);
    parent_->link(*this);
}

void Resource::leave() noexcept {
    if (parent_ == nullptr) return;
    parent_->check(Here::now());
    parent_->unlink(*this);
}

// Making and destroying ----------------------------------------------------------------------

Pool::Pool(locking::DomainBase& domain, std::string_view name, PageCache& cache, Here where)
    : Resource(nullptr, where), domain_(domain), cache_(cache), name_(name) {}

Pool::Pool(Pool& parent, locking::DomainBase& domain, std::string_view name, Here where)
    : Resource(&parent, where), domain_(domain), cache_(parent.cache_), name_(name) {}

Pool::~Pool() {
    {
        const TransitLock lock(domain_);
        clear();
        const Resource* left = objects_.newest;
        TERN_ASSERT(left == nullptr, "pool ", name_, " destroyed while ", left->kind(), " ",
                    left->name(), " is still embedded somewhere");
    }
    if (end_domain_ != nullptr) end_domain_(*this, domain_);
}

Pool& Pool::child(std::string_view name, Here where) {
    return child_of(domain_, name, where);
}

Pool& Pool::child_of(locking::DomainBase& domain, std::string_view name, Here where) {
    check(where);
    if (&domain != &domain_ && domain.rank() <= domain_.rank()) {
        locking::fatal(where,
                       {"pool ", path(), "/", name, " with domain ", domain.name(), " (rank ",
                        domain.rank(), ") below domain ", domain_.name(), " (rank ", domain_.rank(),
                        "), ", HolderText(domain_).text(), ": it must rank higher"});
    }
    auto* home = ::new (get_block(sizeof(Home), alignof(Home), where)) Home;
    Pool* pool = ::new (home->pool) Pool(*this, domain, name, where);
    adopt_block(*pool, home, sizeof(Home));
    pool->block_kind_ = BlockKind::home;
    return *pool;
}

/// Roots are embedded somewhere and have no room.
void* Pool::room_or_block(std::size_t bytes, std::size_t alignment, Here where) {
    if (home() == nullptr || home()->room_used != 0 || bytes > Home::room_bytes || alignment > 16) {
        return get_block(bytes, alignment, where);
    }
    home()->room_used = static_cast<std::uint32_t>(bytes);
    cache_.poison().reveal(home()->room, bytes);
    return home()->room;
}

void* Pool::try_get_block(std::size_t bytes, std::size_t alignment) {
    if (bytes >= page_block_min) return cache_.try_allocate_run(pages_for(bytes));
    for (;;) {
        void* block = alignment <= 16 ? std::malloc(bytes)
                                      : std::aligned_alloc(alignment, round_up(bytes, alignment));
        if (block != nullptr || !cache_.reclaim()) return block;
    }
}

void* Pool::get_block(std::size_t bytes, std::size_t alignment, Here where) {
    void* block = try_get_block(bytes, alignment);
    if (block == nullptr) exhausted(*this, bytes, where);
    return block;
}

void Pool::put_block(void* block, std::size_t bytes) noexcept {
    if (bytes >= page_block_min) {
        cache_.deallocate_run(block, pages_for(bytes));
    } else {
        std::free(block);
    }
}

void Pool::adopt_block(Resource& resource, void* block, std::size_t bytes) {
    resource.block_ = block;
    resource.block_bytes_ = bytes;
    include_block(resource);
    if (home() != nullptr && block == home()->room) resource.block_kind_ = BlockKind::room;
}

void Pool::include_block(const Resource& resource) noexcept {
    if (resource.block_bytes_ == 0 || resource.block_bytes_ >= page_block_min) return;
    const auto start = reinterpret_cast<std::uintptr_t>(resource.block_);
    const std::uintptr_t end =
        std::max(lowest_block_ + blocks_extent_, start + resource.block_bytes_);
    lowest_block_ = blocks_extent_ == 0 ? start : std::min(lowest_block_, start);
    blocks_extent_ = end - lowest_block_;
}

/// Of this pool, or of another from where this pool had adopted the resource.
void Pool::leave_room(void* room) noexcept {
    Home& home = Home::of_room(room);
    if (&home == this->home()) {
        cache_.poison().hide(home.room, home.room_used);
        home.room_used = 0;
    } else {
        leave_home(home, home.room, sizeof(home.room));
    }
}

/// The last to leave frees it. The other may do so at the same time, with other domains held.
void Pool::leave_home(Home& home, const void* start, std::size_t bytes) noexcept {
    if (home.owners.load(std::memory_order_acquire) != 1) {
        cache_.poison().hide(start, bytes);
        if (home.owners.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    }
    put_block(&home, sizeof(Home));
}

void Pool::wrap(void* block, std::size_t offset, std::size_t bytes, void (*end)(void*)) {
    static_assert(sizeof(Wrapped) == wrapped_bytes);
    void* head = static_cast<std::byte*>(block) + offset - wrapped_bytes;
    auto* wrapped = ::new (head) Wrapped(*this, offset, bytes, end, Here::now());
    adopt_block(*wrapped, block, offset + bytes);
    if (end != nullptr) return;
    unlink(*wrapped);
    wrapped->plain_ = true;
    link(*wrapped);
}

void Pool::destroy_resource(Resource& resource, Here where) noexcept {
    check(where);
    if (resource.parent_ != this) {
        locking::fatal(where, {resource.kind(), " ", resource.name(), " destroyed in pool ", path(),
                               ", where it is not: it is in ",
                               resource.parent_ == nullptr ? "no pool" : resource.parent_->path(),
                               "; domain ", domain_.name(), ": ", HolderText(domain_).text()});
    }
    void* block = resource.block_;
    const std::size_t bytes = resource.block_bytes_;
    TERN_ASSERT(bytes != 0, "embedded ", resource.kind(), " ", resource.name(),
                " destroyed by pool ", path());
    const Resource::BlockKind kind = resource.block_kind_;
    resource.~Resource();
    switch (kind) {
        case Resource::BlockKind::own:
            put_block(block, bytes);
            break;
        case Resource::BlockKind::room:
            leave_room(block);
            break;
        case Resource::BlockKind::home: {
            auto& home = *static_cast<Home*>(block);
            leave_home(home, home.pool, sizeof(home.pool));
            break;
        }
    }
}

/// Whether it lies where blocks of this pool do, so that there is something before it to look at.
bool Pool::may_own(const void* payload) const noexcept {
    const auto last = reinterpret_cast<std::uintptr_t>(payload) - 1;
    return last % 16 == 15 && (last - lowest_block_ < blocks_extent_ ||
                               cache_.has_region_at(reinterpret_cast<const void*>(last)));
}

Pool::Wrapped& Pool::wrapped_of(void* payload, Here where) {
    Wrapped* wrapped = Wrapped::of(payload);
    const bool likely = may_own(payload);
    // What is wrong may still be of another pool; but it may be nowhere, too.
    const bool there = likely || readable(wrapped, wrapped_bytes);
    if (!there || !wrapped->has_mark(Wrapped::alive)) [[unlikely]] {
        const bool freed = there && wrapped->has_mark(Wrapped::dead);
        locking::fatal(where, {freed ? "freed twice: " : "foreign pointer: ", payload,
                               " is not an object or block of pool ", path(), "; domain ",
                               domain_.name(), ": ", HolderText(domain_).text()});
    }
    if (wrapped->parent() != this) [[unlikely]] {
        locking::fatal(where, {wrapped->kind(), " ", payload, " of pool ",
                               wrapped->parent()->path(), " given to pool ", path(), "; domain ",
                               domain_.name(), ": ", HolderText(domain_).text()});
    }
    return *wrapped;
}

void Pool::destroy_wrapped(void* payload, Here where) noexcept {
    check(where);
    destroy_resource(wrapped_of(payload, where), where);
}

/// Pools freed in mass are cold. What was made first in a pool usually lies right behind it.
void Pool::prefetch(const Resource* resource) noexcept {
    constexpr std::size_t bytes = 384;
    if (resource == nullptr) return;
    for (std::size_t at = 0; at < bytes; at += 64)
        __builtin_prefetch(reinterpret_cast<const std::byte*>(resource) + at);
}

void Pool::destroy_objects(Here where) noexcept {
    // An embedded resource goes with the object it is embedded in, which may be older than it; so
    // start again from the newest after each step.
    for (Resource* resource = objects_.newest; resource != nullptr;) {
        prefetch(resource->previous_);
        if (resource->block_bytes_ == 0) {
            resource = resource->previous_;
            continue;
        }
        destroy_resource(*resource, where);
        resource = objects_.newest;
    }
}

void Pool::refuse_borrowers(Here where) const {
    for (const Resource* each = objects_.newest; each != nullptr; each = each->previous_) {
        const std::size_t blocks = each->blocks_lent();
        if (blocks == 0) continue;
        locking::fatal(where, {"pool ", path(), " cleared while containers outside of it use ",
                               blocks, " of its blocks by ", each->kind(), "; domain ",
                               domain_.name(), ": ", HolderText(domain_).text()});
    }
}

void Pool::clear(Here where) noexcept {
    check(where);
    destroy_objects(where);
    refuse_borrowers(where);
    while (blocks_.newest != nullptr)
        destroy_resource(*blocks_.newest, where);
}

void Pool::link(Resource& resource) noexcept {
    List& list = list_of(resource);
    resource.parent_ = this;
    resource.next_ = nullptr;
    resource.previous_ = list.newest;
    (list.newest != nullptr ? list.newest->next_ : list.oldest) = &resource;
    list.newest = &resource;
}

void Pool::unlink(Resource& resource) noexcept {
    List& list = list_of(resource);
    (resource.previous_ != nullptr ? resource.previous_->next_ : list.oldest) = resource.next_;
    (resource.next_ != nullptr ? resource.next_->previous_ : list.newest) = resource.previous_;
    resource.parent_ = nullptr;
}

// Blocks -------------------------------------------------------------------------------------

void* Pool::try_block(std::size_t bytes, Here where) {
    check(where);
    constexpr std::size_t offset = payload_offset(16);
    void* memory = try_get_block(offset + bytes, 16);
    if (memory == nullptr) return nullptr;
    wrap(memory, offset, bytes, nullptr);
    return static_cast<std::byte*>(memory) + offset;
}

void* Pool::block(std::size_t bytes, Here where) {
    return block_aligned(bytes, 16, where);
}

void* Pool::block_aligned(std::size_t bytes, std::size_t alignment, Here where) {
    check(where);
    TERN_ASSERT(alignment <= page_bytes && (alignment & (alignment - 1)) == 0, "alignment ",
                alignment, " in pool ", path());
    const std::size_t offset = payload_offset(alignment);
    void* memory = get_block(offset + bytes, block_alignment(alignment), where);
    wrap(memory, offset, bytes, nullptr);
    return static_cast<std::byte*>(memory) + offset;
}

void* Pool::try_resize(void* block, std::size_t bytes, Here where) {
    check(where);
    const std::size_t kept =
        block == nullptr ? 0 : std::min(bytes, wrapped_of(block, where).bytes());
    void* moved = try_block(bytes, where);
    if (moved != nullptr && block != nullptr) {
        std::memcpy(moved, block, kept);
        release(block, where);
    }
    return moved;
}

void* Pool::resize(void* block, std::size_t bytes, Here where) {
    void* moved = try_resize(block, bytes, where);
    if (moved == nullptr) exhausted(*this, bytes, where);
    return moved;
}

void Pool::release(void* block, Here where) noexcept {
    check(where);
    if (block != nullptr) destroy_wrapped(block, where);
}

// Moving -------------------------------------------------------------------------------------

void Pool::adopt(Resource& resource, Here where) {
    check(where);
    Pool* from = resource.parent_;
    TERN_ASSERT(from != nullptr, "pool ", path(), " adopts a root or a dead resource");
    from->check(where);
    TERN_ASSERT(&from->cache_ == &cache_, "resource moved between page caches");
    if (Pool* pool = resource.as_pool()) {
        refuse_rank(*pool, " adopted by ", where);
        for (Pool* above = this; above != nullptr; above = above->parent_) {
            TERN_ASSERT(above != pool, "pool ", pool->name_, " adopted by a pool inside of it");
        }
        // Its domain may be owned by a pool that it would leave, and goes with that one.
        for (const Pool* owner = from; owner != nullptr; owner = owner->parent_) {
            if (owner->end_domain_ == nullptr || &owner->domain_ != &pool->domain_) continue;
            const Pool* above = this;
            while (above != nullptr && above != owner)
                above = above->parent_;
            TERN_ASSERT(above == owner, "pool ", pool->path(), " adopted by ", path(),
                        " out of the pool that owns its domain ", pool->domain_.name());
        }
    } else {
        TERN_ASSERT(&from->domain_ == &domain_ || resource.movable(), resource.kind(), " ",
                    resource.name(), " is bound to its domain and cannot move from pool ",
                    from->path(), " to ", path());
        const std::size_t lent = resource.blocks_lent();
        TERN_ASSERT(lent == 0, resource.kind(), " moved from pool ", from->path(), " to ", path(),
                    " while others have ", lent, " blocks of the old one");
    }
    from->unlink(resource);
    link(resource);
    include_block(resource);
    if (resource.block_kind_ == Resource::BlockKind::room) {
        // It may outlive the pool it was made in, unless it comes back.
        Home& made_in = Home::of_room(resource.block_);
        if (&made_in == from->home()) made_in.owners.store(2, std::memory_order_relaxed);
        if (&made_in == home()) made_in.owners.store(1, std::memory_order_relaxed);
    }
}

void Pool::refuse_rank(const Pool& pool, const char* what, Here where) const {
    if (&pool.domain_ == &domain_ || pool.domain_.rank() > domain_.rank()) return;
    locking::fatal(
        where, {"pool ", pool.path(), " with domain ", pool.domain_.name(), " (rank ",
                pool.domain_.rank(), ")", what, path(), " with domain ", domain_.name(), " (rank ",
                domain_.rank(), "), ", HolderText(domain_).text(), ": it must rank higher"});
}

void Pool::adopt_block_of(Pool& from, void* block, Here where) {
    from.check(where);
    adopt(from.wrapped_of(block, where), where);
}

// Walks --------------------------------------------------------------------------------------

MemoryUsage Pool::memory() const {
    const std::size_t text = name_.capacity() > 15 ? name_.capacity() + 1 : 0;
    const std::size_t own = home() == nullptr ? sizeof(*this) : sizeof(Home) - home()->room_used;
    return {0, own + text + malloc_overhead};
}

bool Pool::contains(const void* address) const {
    const auto* at = static_cast<const std::byte*>(address);
    const auto* start = reinterpret_cast<const std::byte*>(this);
    return at >= start && at < start + sizeof(*this);
}

MemoryUsage Pool::usage() {
    return walk(nullptr, true);
}

void Pool::report(MemoryVisitor& visitor) {
    walk(&visitor, true);
}

void Pool::report_without_waiting(MemoryVisitor& visitor) {
    walk(&visitor, false);
}

MemoryUsage Pool::walk(MemoryVisitor* visitor, bool may_wait) {
    if (may_wait) {
        const TransitLock lock(domain_);
        return walk_inside(visitor, may_wait);
    }
    if (domain_.held_by_this_thread()) return walk_inside(visitor, may_wait);
    if (!domain_.try_lock_erased()) {
        visitor->resource("busy pool", name_, {});
        return {};
    }
    const MemoryUsage usage = walk_inside(visitor, may_wait);
    domain_.unlock_erased();
    return usage;
}

MemoryUsage Pool::walk_inside(MemoryVisitor* visitor, bool may_wait) {
    if (visitor != nullptr) visitor->enter_pool(name_, domain_.name());
    MemoryUsage sum = memory();
    for (const List* list : {&objects_, &blocks_}) {
        for (Resource* resource = list->oldest; resource != nullptr; resource = resource->next_) {
            if (Pool* pool = resource->as_pool()) {
                sum += pool->walk(visitor, may_wait);
                continue;
            }
            const MemoryUsage usage = resource->memory();
            if (visitor != nullptr) visitor->resource(resource->kind(), resource->name(), usage);
            sum += usage;
        }
    }
    if (visitor != nullptr) visitor->leave_pool(name_, sum);
    return sum;
}

std::optional<AddressOwner> Pool::find(const void* address) {
    if (std::optional<AddressOwner> found = find_inside(address)) return found;
    const PageState state = cache_.state_of(address);
    if (state == PageState::foreign) return std::nullopt;
    return AddressOwner{path(), "page cache", {}, std::string(text_of(state))};
}

std::optional<AddressOwner> Pool::find_inside(const void* address) {
    const TransitLock lock(domain_);
    for (const List* list : {&objects_, &blocks_}) {
        for (Resource* resource = list->oldest; resource != nullptr; resource = resource->next_) {
            if (Pool* pool = resource->as_pool()) {
                if (std::optional<AddressOwner> found = pool->find_inside(address)) return found;
            } else if (resource->contains(address)) {
                return AddressOwner{path(), std::string(resource->kind()),
                                    std::string(resource->name()),
                                    std::string(resource->part_at(address))};
            }
        }
    }
    if (!contains(address)) return std::nullopt;
    return AddressOwner{path(), "pool", name_, {}};
}

void Pool::add_path(locking::TextBuffer& text) const noexcept {
    if (parent() != nullptr) {
        parent()->add_path(text);
        text.add({"/"});
    }
    text.add({name_});
}

std::string Pool::path() const {
    return parent() == nullptr ? name_ : parent()->path() + "/" + name_;
}

void Pool::misuse(Here where) const {
    const std::string where_in_tree = path();
    locking::fatal(where, {"pool ", where_in_tree, " used without its domain ", domain_.name(),
                           " (rank ", domain_.rank(), "): ", HolderText(domain_).text()});
}

void Pool::bad_object(const Resource& resource,
                      const void* object,
                      const char* why,
                      Here where) const {
    locking::fatal(
        where, {resource.kind(), " ", resource.name(), " in pool ", path(), ": ", object, " is ",
                why, "; domain ", domain_.name(), ": ", HolderText(domain_).text()});
}

void Pool::exhausted(const Resource& user, std::size_t bytes, Here where) const noexcept {
    char room[1024];
    locking::TextBuffer text(room);
    text.add({"memory for ", bytes, " bytes in "});
    if (&user != this) text.add({user.kind(), " ", user.name(), " in "});
    text.add({"pool "});
    add_path(text);
    text.add({"; domain ", domain_.name(), ": ", HolderText(domain_).text()});
    cache_.exhausted(text.text(), where);
}

}  // namespace tern::alloc
