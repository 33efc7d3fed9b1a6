// Each broken contract, and the words of its report: the objects, the threads, the places.

#include "locking/death_test.h"
#include "locking/guarded.h"
#include "locking/rcu.h"
#include "locking/rcu_testing.h"
#include "locking/shared_domain.h"
#include "locking/test_levels.h"

#include <optional>
#include <string>
#include <thread>

#include <catch2/catch.hpp>
#include <pthread.h>

namespace tern::locking {
namespace {

using testing::Inner;
using testing::Leaf;
using testing::Middle;
using testing::Outer;

// Places that the actions below are said to be at.
constexpr Here first_place{"first.cc", 11};
constexpr Here second_place{"second.cc", 22};
constexpr Here third_place{"third.cc", 33};

/// Runs `action` in a thread of that name while the caller waits.
template <class F>
void in_thread(const char* name, F&& action) {
    std::thread([&] {
        ::pthread_setname_np(::pthread_self(), name);
        action();
    }).join();
}

/// Has `action` done by a thread that then stays, as a holder does. For children about to abort.
template <class F>
void in_lasting_thread(const char* name, F&& action) {
    std::atomic<bool> ready{false};
    std::thread([&ready, name, action] {
        ::pthread_setname_np(::pthread_self(), name);
        action();
        ready.store(true);
        ready.notify_all();
        for (;;)
            ::pause();
    }).detach();
    ready.wait(false);
}

TEST_CASE("AT-LOCK-1 a wrong order names both domains and both places", "[AT-LOCK-1]") {
    const Death death = death_of([] {
        Domain<Outer> outer("tables");
        Domain<Inner> inner("attributes");
        Guard<Inner> first = inner.lock_dynamic(first_place);
        Guard<Outer> second = outer.lock_dynamic(second_place);
    });
    CHECK(
        death.says("second.cc:22: lock order violated: domain tables (rank 100) wanted while "
                   "attributes (rank 300) is held since first.cc:11\n"));
    CHECK(death.says("holds, outermost first:\n  attributes (rank 300) taken at first.cc:11\n"));
}

TEST_CASE("AT-LOCK-1 recursion names both places", "[AT-LOCK-1]") {
    const Death death = death_of([] {
        Domain<Outer> domain("again");
        Guard<Outer> first = domain.lock_dynamic(first_place);
        Guard<Outer> second = domain.lock_dynamic(second_place);
    });
    CHECK(
        death.says("second.cc:22: domain again (rank 100) taken twice by one thread, first at "
                   "first.cc:11\n"));
}

TEST_CASE("AT-LOCK-1 release out of order names what was taken later, and where", "[AT-LOCK-1]") {
    const Death death = death_of([] {
        Domain<Outer> outer("first");
        Domain<Inner> inner("second");
        outer.lock_erased(first_place);
        inner.lock_erased(second_place);
        outer.unlock_erased(third_place);
    });
    CHECK(
        death.says("third.cc:33: domain first (rank 100) released before second (rank 300) "
                   "which was taken later at second.cc:22\n"));
}

TEST_CASE("AT-LOCK-1 a stranger's release names the holder and where it took the domain",
          "[AT-LOCK-1]") {
    const Death death = death_of([] {
        Domain<Outer> domain("foreign");
        in_lasting_thread("rightful", [&] { domain.lock_erased(first_place); });
        in_thread("stranger", [&] { domain.unlock_erased(second_place); });
    });
    CHECK(
        death.says("second.cc:22: domain foreign (rank 100) released by a thread that does not "
                   "hold it, held by thread "));
    CHECK(death.says("(rightful), taken at first.cc:11\n"));
    CHECK(death.says("(stranger) holds no domain"));
}

TEST_CASE("AT-LOCK-1 the wrong domain held names the right one's holder", "[AT-LOCK-1]") {
    const Death death = death_of([] {
        Domain<Middle> right("right");
        Domain<Middle> wrong("wrong");
        in_lasting_thread("elsewhere", [&] { right.lock_erased(first_place); });
        Guard<Middle> guard = wrong.lock_dynamic(second_place);
        right.assert_held(third_place);
    });
    CHECK(
        death.says("third.cc:33: domain right (rank 200) must be held here, but held by thread "));
    CHECK(death.says("(elsewhere), taken at first.cc:11\n"));
    CHECK(death.says("holds, outermost first:\n  wrong (rank 200) taken at second.cc:22\n"));
    CHECK(death_of([] {
              Domain<Middle> lonely("lonely");
              lonely.assert_held();
          }).says("domain lonely (rank 200) must be held here, but nobody holds it"));
}

TEST_CASE("AT-LOCK-1 a token of another domain does not open guarded data", "[AT-LOCK-1]") {
    const Death death = death_of([] {
        Guarded<int, Middle> guarded("right", 7);
        Domain<Middle> other("wrong");
        Guard<Middle> guard = other.lock_dynamic(first_place);
        guarded(guard) = 8;
    });
    CHECK(death.says("misuse_test.cc:"));
    CHECK(death.says(": domain right (rank 200) must be held here, but nobody holds it",
                     "wrong (rank 200) taken at first.cc:11\n"));
}

TEST_CASE("AT-LOCK-1 destroying a held domain names the holder, reader or writer", "[AT-LOCK-1]") {
    CHECK(death_of([] {
              std::optional<Domain<Outer>> domain("dying");
              in_lasting_thread("keeper", [&] { domain->lock_erased(first_place); });
              domain.reset();
          })
              .says("domain dying (rank 100) destroyed while held, held by thread ",
                    "(keeper), taken at first.cc:11\n"));
    CHECK(death_of([] {
              std::optional<SharedDomain<Outer>> domain("read");
              in_lasting_thread("reader", [&] { domain->lock_shared_erased(first_place); });
              domain.reset();
          })
              .says("domain read (rank 100) destroyed while held, held by thread ",
                    "(reader) for reading, taken at first.cc:11\n"));
}

TEST_CASE("AT-LOCK-1 rights to a shared domain are told apart", "[AT-LOCK-1]") {
    const Death death = death_of([] {
        SharedDomain<Outer> shared("table");
        ReadGuard<Outer> read = shared.read_dynamic(first_place);
        shared.assert_held_shared();
        shared.assert_held(second_place);
    });
    CHECK(
        death.says("second.cc:22: shared domain table (rank 100) must be held for writing, but "
                   "held by thread "));
    CHECK(death.says(" for reading, taken at first.cc:11\n"));
    CHECK(death_of([] {
              SharedDomain<Outer> shared("table");
              in_lasting_thread("writer", [&] { shared.lock_erased(first_place); });
              shared.assert_held_shared();
          })
              .says("must be held for reading, but held by thread ",
                    "(writer), taken at first.cc:11\n"));
}

TEST_CASE("AT-LOCK-1 a read that becomes a write is recursion", "[AT-LOCK-1]") {
    const Death death = death_of([] {
        SharedDomain<Outer> shared("upgraded");
        ReadGuard<Outer> read = shared.read_dynamic(first_place);
        WriteGuard<Outer> write = shared.write_dynamic(second_place);
    });
    CHECK(
        death.says("second.cc:22: domain upgraded (rank 100) taken twice by one thread, first at "
                   "first.cc:11\n"));
}

TEST_CASE("AT-LOCK-1 a thread that ends with a domain held says which", "[AT-LOCK-1]") {
    const Death death = death_of([] {
        Domain<Outer> domain("forgotten");
        in_thread("careless", [&] { domain.lock_erased(first_place); });
    });
    CHECK(death.says("thread ends with a domain held", "(careless) holds, outermost first",
                     "forgotten (rank 100) taken at first.cc:11\n"));
}

TEST_CASE("AT-RCU-3 only leaves may be taken in a read section", "[AT-RCU-3]") {
    const Death death = death_of([] {
        Domain<Inner> inner("not a leaf");
        rcu::ReadSection section;
        Guard<Inner> guard = inner.lock_dynamic(first_place);
    });
    CHECK(death.says("first.cc:11: domain not a leaf (rank 300) wanted inside an RCU read section",
                     "it is in an RCU read section"));
    CHECK(death_of([] {
              Domain<Inner> inner("tried");
              rcu::ReadSection section;
              TryGuard<Inner> guard = inner.try_lock();
          }).says("tried (rank 300) wanted inside an RCU read section"));
}

TEST_CASE("AT-RCU-3 waiting for readers under a domain or in a section aborts", "[AT-RCU-3]") {
    CHECK(death_of([] {
              rcu::ReadSection section;
              rcu::synchronize(first_place);
          }).says("first.cc:11: waiting for readers inside an RCU read section"));
    CHECK(death_of([] {
              Domain<Outer> domain("kept");
              domain.lock_erased(first_place);
              rcu::synchronize(second_place);
          })
              .says("second.cc:22: waiting for readers with a domain held",
                    "kept (rank 100) taken at first.cc:11\n"));
    CHECK(death_of([] {
              Domain<Outer> domain("kept");
              domain.lock_erased();
              rcu::drain();
          }).says("waiting for readers with a domain held"));
}

TEST_CASE("AT-RCU-3 without the check a grace period under a lock goes unseen", "[AT-RCU-3]") {
    CHECK_FALSE(death_of([] {
                    rcu::testing::set_fault(rcu::testing::Fault::wait_anywhere);
                    Domain<Outer> domain("kept");
                    domain.lock_erased();
                    rcu::synchronize();
                    domain.unlock_erased();
                }).aborted);
}

TEST_CASE("AT-RCU-3 a section ends in its thread, and before it", "[AT-RCU-3]") {
    CHECK(death_of([] {
              std::optional<rcu::ReadSection> section;
              in_lasting_thread("reader", [&] { section.emplace(); });
              section.reset();
          }).says("RCU read section left by a thread that is in none"));
    CHECK(death_of([] {
              std::optional<rcu::ReadSection> section;
              in_thread("hasty", [&] { section.emplace(); });
          }).says("thread ends inside an RCU read section", "(hasty) holds no domain"));
}

TEST_CASE("AT-LOCK-1 one domain in both places of a pair or group aborts", "[AT-LOCK-1]") {
    CHECK(death_of([] {
              Domain<Outer> domain("same");
              PairLock<Outer> pair(domain, domain);
          }).says("pair lock of one domain: same"));
    CHECK(death_of([] {
              Domain<Outer> domain("twin");
              Domain<Outer>* all[] = {&domain, &domain};
              GroupLock<Outer> group(all);
          }).says("domain twin (rank 100) taken twice"));
}

TEST_CASE("AT-LOCK-1 a chain has a depth", "[AT-LOCK-1]") {
    CHECK(death_of([] {
              std::array<std::optional<Domain<Outer>>, held_depth_max + 1> domains;
              std::array<Domain<Outer>*, held_depth_max + 1> all{};
              for (std::size_t i = 0; i < domains.size(); ++i)
                  all[i] = &domains[i].emplace("deep");
              GroupLock<Outer> group(all);
          }).says("domain deep is one too many: a thread may hold 48"));
}

}  // namespace
}  // namespace tern::locking
