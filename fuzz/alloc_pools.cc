// A tree of pools over three domains under any sequence. An oracle says for each step whether it is
// allowed; one that is not must abort, in a child, and ends the input.

#include "alloc/page_source_test.h"
#include "alloc/pool.h"
#include "fuzz/fuzz_target.h"
#include "locking/death_test.h"

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace {

using namespace tern::alloc;
namespace locking = tern::locking;

template <locking::LockRank number>
struct Level {
    static constexpr locking::LockRank rank = number;
    static constexpr std::string_view name = "fuzz";
};

constexpr std::size_t domains_count = 4;

/// What the tree should be.
struct Node {
    Pool* pool;
    std::size_t domain;
    Node* parent;
    std::vector<void*> blocks;
};

class Trees {
  public:
    Trees() { held_.fill(false); }

    ~Trees() {
        for (std::size_t d = domains_count; d-- > 0;)
            hold(d, false);
        root_.reset();
    }

    /// Takes or releases a domain; only in order, which is not what is tested here.
    void hold(std::size_t d, bool wanted) {
        if (wanted == held_[d]) return;
        for (std::size_t above = d + 1; above < domains_count; ++above) {
            if (held_[above]) return;
        }
        // The second and third rank alike, so only one of them may be held.
        if (wanted && ((d == 2 && held_[1]) || (d == 1 && held_[2]))) return;
        if (wanted) {
            domains_[d]->lock_erased();
        } else {
            domains_[d]->unlock_erased();
        }
        held_[d] = wanted;
    }

    Node& node(std::size_t n) {
        auto it = nodes_.begin();
        std::advance(it, static_cast<std::ptrdiff_t>(n % nodes_.size()));
        return *it->second;
    }

    bool may_touch(const Node& node) const { return held_[node.domain]; }

    bool fits(std::size_t child, std::size_t parent) const {
        return child == parent || domains_[child]->rank() > domains_[parent]->rank();
    }

    static bool inside(const Node* node, const Node* other) {
        for (; node != nullptr; node = node->parent) {
            if (node == other) return true;
        }
        return false;
    }

    /// Freeing a tree takes the domains in it on the way, which must be possible from here.
    bool can_take_all(const Node& top) const {
        for (const auto& [pool, node] : nodes_) {
            if (!inside(node.get(), &top) || held_[node->domain]) continue;
            for (std::size_t d = 0; d < domains_count; ++d) {
                if (held_[d] && domains_[d]->rank() >= domains_[node->domain]->rank()) return false;
            }
        }
        return true;
    }

    void add(Pool& pool, std::size_t domain, Node* parent) {
        auto node = std::make_unique<Node>();
        *node = {&pool, domain, parent, {}};
        nodes_.emplace(&pool, std::move(node));
    }

    void forget_inside(const Node& top, bool with_top) {
        std::vector<Pool*> gone;
        for (const auto& [pool, node] : nodes_) {
            if (inside(node.get(), &top) && (with_top || node.get() != &top)) gone.push_back(pool);
        }
        for (Pool* pool : gone)
            nodes_.erase(pool);
    }

    std::size_t count() const { return nodes_.size(); }

    locking::DomainBase& domain(std::size_t d) { return *domains_[d]; }

    void make_root() {
        root_.emplace(*domains_[0], "root", cache_);
        add(*root_, 0, nullptr);
    }

    Node& root() { return *nodes_.at(&*root_); }

    std::size_t bytes() const {
        std::size_t sum = 0;
        for (const auto& [pool, node] : nodes_)
            sum += 40 * node->blocks.size();
        return sum;
    }

  private:
    TestSource source_;
    PageCache cache_{source_, PageCacheConfig{}};
    locking::Domain<Level<100>> outer_{"outer"};
    locking::Domain<Level<200>> left_{"left"};
    locking::Domain<Level<200>> right_{"right"};
    locking::Domain<Level<300>> inner_{"inner"};
    std::array<locking::DomainBase*, domains_count> domains_{&outer_, &left_, &right_, &inner_};
    std::array<bool, domains_count> held_;
    std::optional<Pool> root_;
    std::map<Pool*, std::unique_ptr<Node>> nodes_;
};

/// Runs a step that must not abort, or shows that it does. False: the input ends here.
bool step(bool allowed, const std::function<void()>& act) {
    if (allowed) {
        act();
        return true;
    }
    TERN_ASSERT(locking::death_of(act).aborted, "a step that is not allowed did not abort");
    return false;
}

bool make_child(Trees& trees, Node& node, std::size_t d) {
    if (trees.count() > 40) return true;
    const bool allowed = trees.may_touch(node) && trees.fits(d, node.domain);
    return step(allowed, [&] {
        Pool& pool = d == node.domain ? node.pool->child("child")
                                      : node.pool->child_of(trees.domain(d), "child");
        trees.add(pool, d, &node);
    });
}

bool free_tree(Trees& trees, Node& node, bool only_inside) {
    if (!only_inside && node.parent == nullptr) return true;
    Node& holder = only_inside ? node : *node.parent;
    return step(trees.may_touch(holder) && trees.can_take_all(node), [&] {
        Pool& pool = *node.pool;
        Pool& parent = *holder.pool;
        trees.forget_inside(node, !only_inside);
        if (only_inside) node.blocks.clear();
        if (only_inside) pool.clear();
        if (!only_inside) parent.destroy(pool);
    });
}

bool adopt(Trees& trees, Node& node, Node& to) {
    if (node.parent == nullptr) return true;
    const bool allowed = trees.may_touch(to) && trees.may_touch(*node.parent) &&
                         trees.fits(node.domain, to.domain) && !Trees::inside(&to, &node);
    return step(allowed, [&] {
        to.pool->adopt(*node.pool);
        node.parent = &to;
    });
}

bool blocks(Trees& trees, Node& node, Node& to, std::uint8_t choice) {
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

}  // namespace

TERN_FUZZ(alloc_pools, data, size) {
    Trees trees;
    trees.make_root();
    for (std::size_t i = 0; i + 2 < size && i < 300; i += 3) {
        Node& node = trees.node(data[i + 1]);
        Node& other = trees.node(data[i + 2]);
        bool goes_on = true;
        switch (data[i] % 10) {
            case 0:
            case 1:
                trees.hold(data[i + 1] % domains_count, true);
                break;
            case 2:
                trees.hold(data[i + 1] % domains_count, false);
                break;
            case 3:
            case 4:
                goes_on = make_child(trees, node, data[i + 2] % domains_count);
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
            default:
                goes_on = step(trees.can_take_all(trees.root()), [&] {
                    const MemoryUsage usage = trees.root().pool->usage();
                    TERN_ASSERT(usage.effective == trees.bytes(), "bytes: ", usage.effective,
                                " and not ", trees.bytes());
                });
                break;
        }
        if (!goes_on) break;
    }
}
