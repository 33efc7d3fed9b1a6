// A farm of programs with one planted bug each: a random legal chain, then one step that breaks the
// rules. All must abort at that step. TERN_STRESS says how many, TERN_SEED which.

#include "locking/death_test.h"
#include "locking/domain.h"
#include "locking/rcu.h"
#include "stress/locking/levels.h"
#include "stress/scale.h"

#include <deque>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::stress {
namespace {

using locking::Death;
using locking::death_of;
using locking::DomainBase;
using locking::Here;
using locking::LockRank;

constexpr Here bug{"planted.cc", 666};

enum class Kind { backward, level_twice, sibling_backward, recursion, not_last, stranger, section };
constexpr unsigned kinds = 7;

/// A chain of at least three domains, then the planted bug.
class Program {
  public:
    Program(std::uint64_t seed, Kind kind) : random_(seed), kind_(kind) {
        for (std::size_t level = 0; level < level_count; ++level) {
            for (int i = 0; i < 2; ++i)
                domains_.emplace_back(level_names[level], static_cast<LockRank>(100 * (level + 1)));
        }
    }

    void run() {
        const std::size_t length = 3 + random_() % 2;
        for (std::size_t level = 1; held_.size() < length; level += 1 + random_() % 2)
            take(level, 0);
        step();
    }

    /// The words that the report must have.
    static const char* words(Kind kind) {
        switch (kind) {
            case Kind::backward:
            case Kind::level_twice:
            case Kind::sibling_backward:
                return "planted.cc:666: lock order violated";
            case Kind::recursion:
                return "taken twice by one thread";
            case Kind::not_last:
                return "which was taken later";
            case Kind::stranger:
                return "released by a thread that does not hold it, held by thread";
            case Kind::section:
                return "inside an RCU read section";
        }
        return "";
    }

  private:
    DomainBase& at(std::size_t level, std::size_t which) { return domains_[2 * level + which]; }

    void take(std::size_t level, std::size_t which) {
        at(level, which).lock_erased();
        held_.push_back(level);
    }

    void step() {
        const std::size_t level = held_[random_() % held_.size()];
        switch (kind_) {
            case Kind::backward:
                at(random_() % held_.back(), 1).lock_erased(bug);
                return;
            case Kind::level_twice:
                at(held_.back(), 1).lock_erased(bug);
                return;
            case Kind::sibling_backward:
                at(held_.back(), 0).unlock_erased();
                at(held_.back(), 1).lock_erased();
                at(held_.back(), 0).lock_sibling_erased(bug);
                return;
            case Kind::recursion:
                at(level, 0).lock_erased(bug);
                return;
            case Kind::not_last:
                at(held_[random_() % (held_.size() - 1)], 0).unlock_erased(bug);
                return;
            case Kind::stranger:
                std::thread([&] { at(level, 0).unlock_erased(bug); }).join();
                return;
            case Kind::section: {
                locking::rcu::ReadSection section;
                DomainBase further("further", 5000);
                further.lock_erased(bug);
                return;
            }
        }
    }

    std::mt19937_64 random_;
    Kind kind_;
    std::deque<DomainBase> domains_;  ///< two of each level
    std::vector<std::size_t> held_;   ///< levels
};

TEST_CASE("AT-LOCK-7 every illegal step aborts, and at once", "[AT-LOCK-7]") {
    const std::uint64_t count = scaled(350);
    const std::uint64_t first = seed();
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        const Kind kind = static_cast<Kind>(seed % kinds);
        const Death death = death_of([&] { Program(seed, kind).run(); });
        INFO("TERN_SEED=" << seed << "\n" << death.report);
        REQUIRE(death.says(Program::words(kind), "planted.cc:666: "));
    }
}

}  // namespace
}  // namespace tern::stress
