// Many threads take random legal chains over ten levels, with an oracle of mutual exclusion.
// TERN_STRESS makes it long (stress/scale.h).

#include "locking/domain.h"
#include "stress/locking/levels.h"
#include "stress/scale.h"

#include <atomic>
#include <cstdio>
#include <deque>
#include <random>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::stress {
namespace {

using locking::DomainBase;
using locking::LockRank;

/// A domain and what only its holder may touch.
struct Place {
    explicit Place(std::size_t level)
        : domain(level_names[level], static_cast<LockRank>(100 * (level + 1))) {}

    DomainBase domain;
    std::atomic<bool> occupied{false};
    std::uint64_t visits = 0;
};

struct World {
    explicit World(std::size_t width) {
        for (std::size_t level = 0; level < level_count; ++level) {
            for (std::size_t i = 0; i < width; ++i)
                levels[level].emplace_back(level);
        }
    }

    std::deque<Place> levels[level_count];  ///< each in the order of serials
    std::atomic<std::uint64_t> acquisitions{0};
    std::atomic<std::uint64_t> intrusions{0};
};

class Walker {
  public:
    Walker(World& world, std::uint64_t seed) : world_(world), random_(seed) {}

    void chain() { from(0, level_count); }

  private:
    std::size_t below(std::size_t bound) { return random_() % bound; }

    void visit(Place& place) {
        if (place.occupied.exchange(true, std::memory_order_relaxed))
            world_.intrusions.fetch_add(1);
        ++place.visits;
        ++taken_;
    }

    void leave(Place& place) {
        place.occupied.store(false, std::memory_order_relaxed);
        place.domain.unlock_erased();
    }

    /// Goes on with a random level from `first` on.
    void from(std::size_t first, std::size_t ends) {
        const std::size_t level = first + below(4);
        if (level >= ends) {
            try_against_the_order();
            flush();
            return;
        }
        std::deque<Place>& places = world_.levels[level];
        const std::size_t at = below(places.size());
        places[at].domain.lock_erased();
        visit(places[at]);
        const bool with_sibling = at + 1 < places.size() && below(8) == 0;
        if (with_sibling) {
            Place& sibling = places[at + 1 + below(places.size() - at - 1)];
            sibling.domain.lock_sibling_erased();
            visit(sibling);
            from(level + 1, ends);
            leave(sibling);
        } else {
            from(level + 1, ends);
        }
        leave(places[at]);
    }

    void try_against_the_order() {
        Place& place = world_.levels[below(level_count)][0];
        if (!place.domain.try_lock_erased()) return;
        visit(place);
        leave(place);
    }

    void flush() {
        world_.acquisitions.fetch_add(taken_, std::memory_order_relaxed);
        taken_ = 0;
    }

    World& world_;
    std::mt19937_64 random_;
    std::uint64_t taken_ = 0;
};

TEST_CASE("AT-LOCK-2 no two threads are ever inside one domain", "[AT-LOCK-2]") {
    const std::uint64_t wanted = scaled(500'000);
    const std::uint64_t width = scaled_down(100);
    const std::uint64_t seed = stress::seed();
    INFO("TERN_SEED=" << seed);
    constexpr unsigned thread_count = 64;
    World world(width);
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < thread_count; ++i) {
        threads.emplace_back([&world, wanted, seed, i] {
            Walker walker(world, seed * thread_count + i);
            while (world.acquisitions.load(std::memory_order_relaxed) < wanted)
                walker.chain();
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    std::uint64_t visits = 0;
    std::uint64_t counted = 0;
    for (std::deque<Place>& places : world.levels) {
        for (Place& place : places) {
            visits += place.visits;
            counted += place.domain.stats().acquisitions;
        }
    }
    CHECK(world.intrusions.load() == 0);
    CHECK(visits == world.acquisitions.load());
    CHECK(counted == visits);
}

}  // namespace
}  // namespace tern::stress
