// One writer and very many readers of all speeds that come and go; memory stays within its bound.
#include "loops/journal.h"

#include "locking/domain.h"
#include "loops/test_support.h"
#include "stress/scale.h"

#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::stress {

namespace {

using loops::test::Table;
using Items = loops::Journal<std::uint64_t, 64>;

constexpr std::uint64_t capacity = 4096;

/// A share of the readers, in a thread of its own.
void read_at_random(Items& journal,
                    locking::Domain<Table>& domain,
                    std::size_t readers,
                    unsigned seed,
                    const std::atomic<bool>& over) {
    struct Reading {
        std::unique_ptr<Items::Reader> reader;
        std::uint64_t expected = 0;
    };

    std::vector<Reading> all(readers);
    std::mt19937 random(seed);
    while (!over) {
        Reading& one = all[random() % readers];
        if (one.reader == nullptr || one.reader->lost()) {
            const auto guard = domain.lock_dynamic();
            if (one.reader == nullptr) {
                one.reader = std::make_unique<Items::Reader>(journal);
            } else {
                one.reader->restart();
            }
            one.expected = journal.end();
            continue;
        }
        if (random() % 32 == 0) {
            one.reader.reset();
            continue;
        }
        for (std::uint64_t i = random() % 200; i > 0; --i) {
            const std::uint64_t* const item = one.reader->next();
            if (item == nullptr) break;
            TERN_ASSERT(*item == one.expected, "item ", *item, " instead of ", one.expected);
            ++one.expected;
        }
        one.reader->release();
    }
}

}  // namespace

TEST_CASE("five hundred readers come, fall behind and go, and the journal stays bounded") {
    const std::uint64_t items = scaled(100'000);
    const std::size_t readers = scaled_down(500);
    constexpr unsigned threads_count = 4;
    locking::Domain<Table> domain;
    Items journal(domain, capacity);
    std::atomic<bool> over{false};
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < threads_count; ++i) {
        threads.emplace_back(
            [&, i] { read_at_random(journal, domain, readers / threads_count + 1, i, over); });
    }
    constexpr std::uint64_t held_max = capacity + 2 * 64;
    for (std::uint64_t i = 0; i < items;) {
        const auto guard = domain.lock_dynamic();
        journal.reclaim();
        // More only while some reader has items in hand; it releases them soon.
        if (journal.held() > held_max) continue;
        for (const std::uint64_t end = std::min(items, i + 32); i < end; ++i)
            journal.push(i);
    }
    over = true;
    for (std::thread& thread : threads)
        thread.join();
    const auto guard = domain.lock_dynamic();
    journal.reclaim();
    CHECK(journal.held() <= held_max);
}

}  // namespace tern::stress
