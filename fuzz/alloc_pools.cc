// A tree of pools with slabs in them, over domains of which some are owned by pools, under any
// sequence. An oracle (pool_trees.h) says for each step whether it is allowed; one that is not must
// abort, in a child, and ends the input.

#include "fuzz/fuzz_target.h"
#include "fuzz/pool_trees.h"
#include "locking/death_test.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace {

using namespace tern::alloc;
using namespace tern::fuzz;
namespace locking = tern::locking;

constexpr std::size_t nodes_max = 40;
constexpr std::size_t domains_max = 30;

/// Runs a step that must not abort, or shows that it does. False: the input ends here.
bool step(bool allowed, const std::function<void()>& act) {
    if (allowed) {
        act();
        return true;
    }
    TERN_ASSERT(locking::death_of(act).aborted, "a step that is not allowed did not abort");
    return false;
}

/// A child of one of the domains that are always there, or of its parent's.
bool make_child(PoolTrees& trees, Node& node, std::size_t choice) {
    if (trees.nodes() > nodes_max) return true;
    const std::size_t d = choice % (PoolTrees::outer_domains + 1);
    const bool same = d == PoolTrees::outer_domains || d == node.domain;
    const bool allowed = trees.may_touch(node) && (same || trees.fits(d, node.domain));
    return step(allowed, [&] {
        Pool& pool =
            same ? node.pool->child("child") : node.pool->child_of(trees.domain(d), "child");
        trees.add(pool, same ? node.domain : d, &node);
    });
}

/// A child with a domain of its own, between those that are always there or inside of them.
bool make_owner(PoolTrees& trees, Node& node, bool between) {
    if (trees.nodes() > nodes_max || trees.domains() > domains_max) return true;
    const locking::LockRank rank = between ? Level<250>::rank : Level<400>::rank;
    const bool allowed = trees.may_touch(node) && rank > trees.domain(node.domain).rank();
    return step(allowed, [&] {
        Pool& pool = between ? node.pool->child_with_domain<Level<250>>("between")
                             : node.pool->child_with_domain<Level<400>>("inside");
        trees.add(pool, trees.add_domain(pool.domain()), &node).owns_domain = true;
    });
}

bool free_tree(PoolTrees& trees, Node& node, bool only_inside) {
    if (!only_inside && node.parent == nullptr) return true;
    Node& holder = only_inside ? node : *node.parent;
    return step(trees.may_touch(holder) && trees.can_end(node, !only_inside), [&] {
        Pool& pool = *node.pool;
        Pool& parent = *holder.pool;
        trees.forget_inside(node, !only_inside);
        if (only_inside) node.blocks.clear();
        if (only_inside) pool.clear();
        if (!only_inside) parent.destroy(pool);
    });
}

bool adopt(PoolTrees& trees, Node& node, Node& to) {
    if (node.parent == nullptr) return true;
    const bool allowed = trees.may_touch(to) && trees.may_touch(*node.parent) &&
                         trees.fits(node.domain, to.domain) && !PoolTrees::inside(&to, &node) &&
                         trees.keeps_domain(node, to);
    return step(allowed, [&] {
        to.pool->adopt(*node.pool);
        node.parent = &to;
    });
}

bool blocks(PoolTrees& trees, Node& node, Node& to, std::uint8_t choice) {
    if (choice % 3 == 0 || node.blocks.empty()) {
        return step(trees.may_touch(node), [&] { node.blocks.push_back(node.pool->block(40)); });
    }
    if (choice % 3 == 1) {
        return step(trees.may_touch(node), [&] {
            node.pool->release(node.blocks.back());
            node.blocks.pop_back();
        });
    }
    return step(trees.may_touch(node) && trees.may_touch(to), [&] {
        void* block = node.blocks.back();
        node.blocks.pop_back();
        to.pool->adopt_block_of(*node.pool, block);
        to.blocks.push_back(block);
    });
}

bool make_slab(PoolTrees& trees, Node& node, std::uint8_t choice) {
    return step(trees.may_touch(node), [&] {
        SlabTwin& slab = trees.add_slab(node);
        switch (choice % 3) {
            case 0:
                slab.plain = &node.pool->make<Slab<Thing>>("plain");
                break;
            case 1:
                slab.indexed = &node.pool->make<IndexedSlab<Thing>>("indexed");
                break;
            default:
                slab.shared = &node.pool->make<PoolSharedSlab<Thing>>("shared");
                break;
        }
    });
}

bool may_use(const PoolTrees& trees, const SlabTwin& slab) {
    return slab.shared != nullptr || trees.may_touch(*slab.node);
}

/// Some; a slab needs more than one page.
bool make_things(PoolTrees& trees, SlabTwin& slab, std::uint8_t count) {
    return step(may_use(trees, slab), [&] {
        for (unsigned i = 0; i <= count; ++i) {
            slab.things.push_back(&slab.make());
            if (slab.things.back() == slab.last_dead) slab.last_dead = nullptr;
        }
    });
}

bool destroy_things(PoolTrees& trees, SlabTwin& slab, std::uint8_t count) {
    return step(may_use(trees, slab) || slab.things.empty(), [&] {
        for (unsigned i = 0; i <= count && !slab.things.empty(); ++i) {
            const std::size_t n = (i * 7 + count) % slab.things.size();
            std::swap(slab.things[n], slab.things.back());
            slab.last_dead = slab.things.back();
            slab.things.pop_back();
            slab.destroy(*slab.last_dead);
        }
    });
}

/// What was destroyed before, or is another slab's, is refused by whoever holds the domain as well.
bool destroy_wrongly(SlabTwin& slab, SlabTwin& other) {
    Thing* thing = slab.last_dead;
    if (&slab != &other) thing = other.things.empty() ? nullptr : other.things.front();
    return thing == nullptr || step(false, [&] { slab.destroy(*thing); });
}

bool move_slab(PoolTrees& trees, SlabTwin& slab, Node& to) {
    const bool same = to.domain == slab.node->domain;
    return step(same && trees.may_touch(to), [&] {
        to.pool->adopt(slab.resource());
        slab.node = &to;
    });
}

bool destroy_slab(PoolTrees& trees, SlabTwin& slab) {
    const bool busy = slab.shared != nullptr && !slab.things.empty();
    return step(trees.may_touch(*slab.node) && !busy, [&] {
        slab.node->pool->destroy(slab.resource());
        trees.forget(slab);
    });
}

bool use_slab(PoolTrees& trees, std::uint8_t what, std::uint8_t which, std::uint8_t choice) {
    SlabTwin* const slab = trees.slab(which);
    if (slab == nullptr) return true;
    switch (what) {
        case 0:
            return make_things(trees, *slab, choice);
        case 1:
            return destroy_things(trees, *slab, choice);
        case 2:
            return move_slab(trees, *slab, trees.node(choice));
        case 3:
            return choice % 4 != 0 || destroy_slab(trees, *slab);
        default:
            return choice % 4 != 0 || destroy_wrongly(*slab, *trees.slab(choice / 4));
    }
}

bool use_tree(PoolTrees& trees) {
    return step(trees.can_take_all(trees.root()), [&] {
        const MemoryUsage usage = trees.root().pool->usage();
        TERN_ASSERT(usage.effective == trees.bytes(), "bytes: ", usage.effective, " and not ",
                    trees.bytes());
        trees.verify();
    });
}

}  // namespace

TERN_FUZZ(alloc_pools, data, size) {
    PoolTrees trees;
    bool goes_on = true;
    for (std::size_t i = 0; goes_on && i + 2 < size && i < 300; i += 3) {
        const std::uint8_t what = data[i] % 17;
        Node& node = trees.node(data[i + 1]);
        Node& other = trees.node(data[i + 2]);
        switch (what) {
            case 0:
            case 1:
                trees.hold(data[i + 1] % trees.domains(), true);
                break;
            case 2:
                trees.hold(data[i + 1] % trees.domains(), false);
                break;
            case 3:
            case 4:
                goes_on = make_child(trees, node, data[i + 2]);
                break;
            case 5:
                goes_on = adopt(trees, node, other);
                break;
            case 6:
                goes_on = free_tree(trees, node, data[i + 2] % 2 == 0);
                break;
            case 7:
            case 8:
                goes_on = blocks(trees, node, other, data[i]);
                break;
            case 9:
                goes_on = use_tree(trees);
                break;
            case 10:
                goes_on = make_owner(trees, node, data[i + 2] % 2 == 0);
                break;
            case 11:
                goes_on = make_slab(trees, node, data[i + 2]);
                break;
            default:
                goes_on =
                    use_slab(trees, static_cast<std::uint8_t>(what - 12), data[i + 1], data[i + 2]);
        }
    }
}
