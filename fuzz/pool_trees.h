#pragma once
/// The oracle of alloc_pools.cc: what a tree of pools, its slabs and its domains should be, beside
/// the real ones, and what may be done to it from here. Owns the pools, their cache, and the four
/// domains that no pool owns. One thread. It never asks the pools what it should know itself.

#include "alloc/page_source_test.h"
#include "alloc/pool.h"
#include "alloc/slab.h"
#include "alloc/slab_indexed.h"
#include "alloc/slab_shared.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace tern::fuzz {

template <locking::LockRank number>
struct Level {
    static constexpr locking::LockRank rank = number;
    static constexpr std::string_view name = "fuzz";
};

/// What slabs hold: it has a destructor, so that shared ones know it when it comes twice.
struct Thing {
    ~Thing() { number = 0; }

    std::uint64_t number = alive;
    std::uint64_t more[2]{};

    static constexpr std::uint64_t alive = 0x7461696c;
};

struct Node;

struct SlabTwin {
    Node* node;
    alloc::Slab<Thing>* plain = nullptr;
    alloc::IndexedSlab<Thing>* indexed = nullptr;
    alloc::PoolSharedSlab<Thing>* shared = nullptr;
    std::vector<Thing*> things;
    Thing* last_dead = nullptr;

    alloc::Resource& resource() const {
        if (plain != nullptr) return *plain;
        if (indexed != nullptr) return *indexed;
        return *shared;
    }

    Thing& make() {
        if (plain != nullptr) return plain->make();
        return indexed != nullptr ? indexed->make() : shared->slab().make();
    }

    void destroy(Thing& thing) const {
        if (plain != nullptr) return plain->destroy(thing);
        return indexed != nullptr ? indexed->destroy(thing) : shared->slab().destroy(thing);
    }

    void verify() const {
        if (plain != nullptr) plain->verify();
        if (indexed != nullptr) indexed->verify();
        if (shared != nullptr) shared->slab().verify();
        for (const Thing* thing : things)
            TERN_ASSERT(thing->number == Thing::alive, "a thing has changed");
    }
};

/// A pool.
struct Node {
    alloc::Pool* pool;
    std::size_t domain;
    Node* parent;
    bool owns_domain = false;
    std::vector<void*> blocks;
};

class PoolTrees {
  public:
    /// So many are not owned by pools; the others come and go.
    static constexpr std::size_t outer_domains = 4;

    PoolTrees() {
        for (locking::DomainBase* domain :
             std::initializer_list<locking::DomainBase*>{&outer_, &left_, &right_, &inner_})
            domains_.push_back({domain});
        root_.emplace(outer_, "root", cache_);
        add(*root_, 0, nullptr);
    }

    PoolTrees(const PoolTrees&) = delete;
    PoolTrees& operator=(const PoolTrees&) = delete;

    ~PoolTrees() {
        for (const std::unique_ptr<SlabTwin>& slab : slabs_) {
            if (slab->shared == nullptr) continue;
            for (Thing* thing : slab->things)
                slab->destroy(*thing);
        }
        while (const std::optional<std::size_t> last = innermost())
            hold(*last, false);
        root_.reset();
        cache_.verify();
    }

    std::size_t domains() const { return domains_.size(); }

    locking::DomainBase& domain(std::size_t d) { return *domains_[d].domain; }

    /// Takes or releases a domain; only in order, which is not what is tested here.
    void hold(std::size_t d, bool wanted) {
        State& state = domains_[d];
        if (state.domain == nullptr || state.held == wanted) return;
        const std::optional<std::size_t> last = innermost();
        if (wanted) {
            if (last && rank(*last) >= rank(d)) return;
            state.domain->lock_erased();
        } else {
            if (*last != d) return;
            state.domain->unlock_erased();
        }
        state.held = wanted;
    }

    bool may_touch(const Node& node) const { return domains_[node.domain].held; }

    bool fits(std::size_t child, std::size_t parent) const {
        return child == parent || rank(child) > rank(parent);
    }

    /// A domain that a pool owns is that of pools inside of it.
    bool keeps_domain(const Node& node, const Node& to) const {
        for (const std::unique_ptr<Node>& owner : nodes_) {
            if (!owner->owns_domain || owner->domain != node.domain) continue;
            return inside(owner.get(), &node) || inside(&to, owner.get());
        }
        return true;
    }

    static bool inside(const Node* node, const Node* other) {
        for (; node != nullptr; node = node->parent) {
            if (node == other) return true;
        }
        return false;
    }

    /// Visiting a tree takes the domains in it on the way, which must be possible from here.
    bool can_take_all(const Node& top) const {
        const std::optional<std::size_t> last = innermost();
        for (const std::unique_ptr<Node>& node : nodes_) {
            if (!inside(node.get(), &top) || may_touch(*node)) continue;
            if (last && rank(*last) >= rank(node->domain)) return false;
        }
        return true;
    }

    /// Domains that go with their pools must be free, and shared slabs empty.
    bool can_end(const Node& top, bool with_top) const {
        for (const std::unique_ptr<Node>& node : nodes_) {
            if (!goes(*node, top, with_top)) continue;
            if (node->owns_domain && may_touch(*node)) return false;
        }
        for (const std::unique_ptr<SlabTwin>& slab : slabs_) {
            const bool busy = slab->shared != nullptr && !slab->things.empty();
            if (busy && inside(slab->node, &top)) return false;
        }
        return can_take_all(top);
    }

    Node& add(alloc::Pool& pool, std::size_t domain, Node* parent) {
        nodes_.push_back(std::make_unique<Node>(Node{&pool, domain, parent, false, {}}));
        return *nodes_.back();
    }

    std::size_t add_domain(locking::DomainBase& domain) {
        domains_.push_back({&domain});
        return domains_.size() - 1;
    }

    SlabTwin& add_slab(Node& node) {
        slabs_.push_back(std::make_unique<SlabTwin>(SlabTwin{&node}));
        return *slabs_.back();
    }

    void forget_inside(const Node& top, bool with_top) {
        std::erase_if(slabs_, [&](const auto& slab) { return inside(slab->node, &top); });
        for (const std::unique_ptr<Node>& node : nodes_) {
            if (node->owns_domain && goes(*node, top, with_top)) domains_[node->domain] = {};
        }
        // All are there while it is asked which of them go.
        std::vector<const Node*> gone;
        for (const std::unique_ptr<Node>& node : nodes_)
            if (goes(*node, top, with_top)) gone.push_back(node.get());
        std::erase_if(nodes_, [&](const std::unique_ptr<Node>& node) {
            return std::find(gone.begin(), gone.end(), node.get()) != gone.end();
        });
    }

    void forget(const SlabTwin& gone) {
        std::erase_if(slabs_, [&](const auto& slab) { return slab.get() == &gone; });
    }

    Node& node(std::size_t n) { return *nodes_[n % nodes_.size()]; }

    std::size_t nodes() const { return nodes_.size(); }

    /// nullptr if there is none.
    SlabTwin* slab(std::size_t n) {
        return slabs_.empty() ? nullptr : slabs_[n % slabs_.size()].get();
    }

    Node& root() { return *nodes_.front(); }

    std::size_t bytes() const {
        std::size_t sum = 0;
        for (const std::unique_ptr<Node>& node : nodes_)
            sum += 40 * node->blocks.size();
        for (const std::unique_ptr<SlabTwin>& slab : slabs_)
            sum += sizeof(Thing) * slab->things.size();
        return sum;
    }

    void verify() const {
        for (const std::unique_ptr<SlabTwin>& slab : slabs_)
            if (slab->shared != nullptr || may_touch(*slab->node)) slab->verify();
    }

  private:
    struct State {
        locking::DomainBase* domain = nullptr;  ///< nullptr: it has gone with its pool
        bool held = false;
    };

    locking::LockRank rank(std::size_t d) const { return domains_[d].domain->rank(); }

    static bool goes(const Node& node, const Node& top, bool with_top) {
        return inside(&node, &top) && (with_top || &node != &top);
    }

    /// Of those held.
    std::optional<std::size_t> innermost() const {
        std::optional<std::size_t> last;
        for (std::size_t d = 0; d < domains_.size(); ++d) {
            if (!domains_[d].held) continue;
            if (!last || rank(d) > rank(*last)) last = d;
        }
        return last;
    }

    alloc::TestSource source_;
    alloc::PageCache cache_{source_, alloc::PageCacheConfig{}};
    locking::Domain<Level<100>> outer_{"outer"};
    // The second and the third rank alike, so only one of them may be held.
    locking::Domain<Level<200>> left_{"left"};
    locking::Domain<Level<200>> right_{"right"};
    locking::Domain<Level<300>> inner_{"inner"};
    std::vector<State> domains_;
    std::optional<alloc::Pool> root_;
    std::vector<std::unique_ptr<Node>> nodes_;
    std::vector<std::unique_ptr<SlabTwin>> slabs_;
};

}  // namespace tern::fuzz
