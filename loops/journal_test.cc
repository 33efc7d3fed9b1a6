#include "loops/journal.h"

#include "loops/test_support.h"

#include <memory>
#include <optional>
#include <thread>

#include <catch2/catch.hpp>

namespace tern::loops {

namespace {

using SmallJournal = Journal<std::uint64_t, 8>;

struct Fixture {
    locking::Domain<test::Table> domain;
    SmallJournal journal{domain, 64};

    void push(std::uint64_t from, std::uint64_t to) {
        const auto guard = domain.lock_dynamic();
        for (std::uint64_t i = from; i < to; ++i)
            journal.push(i);
    }

    std::unique_ptr<SmallJournal::Reader> reader() {
        const auto guard = domain.lock_dynamic();
        return std::make_unique<SmallJournal::Reader>(journal);
    }

    std::uint64_t held() {
        const auto guard = domain.lock_dynamic();
        journal.reclaim();
        return journal.held();
    }
};

}  // namespace

TEST_CASE("a journal reader sees everything after its start, in order") {
    Fixture f;
    f.push(0, 5);
    auto reader = f.reader();
    CHECK(reader->next() == nullptr);
    f.push(5, 55);
    for (std::uint64_t i = 5; i < 55; ++i) {
        const std::uint64_t* const item = reader->next();
        REQUIRE(item != nullptr);
        CHECK(*item == i);
    }
    CHECK(reader->next() == nullptr);
}

TEST_CASE("blocks behind every reader are freed, and not before") {
    Fixture f;
    auto fast = f.reader();
    auto slow = f.reader();
    f.push(0, 48);
    while (fast->next() != nullptr) {
    }
    fast->release();
    CHECK(f.held() == 48);
    for (int i = 0; i < 20; ++i)
        slow->next();
    CHECK(f.held() == 48);  // read but not released
    slow->release();
    CHECK(f.held() == 32);
    slow.reset();
    CHECK(f.held() <= 16);
}

TEST_CASE("a reader too far behind is lost, holds no more memory once it restarts") {
    Fixture f;
    auto fast = f.reader();
    auto slow = f.reader();
    for (std::uint64_t i = 0; i < 200; ++i) {
        f.push(i, i + 1);
        fast->next();
        fast->release();
    }
    CHECK_FALSE(fast->lost());
    CHECK(slow->lost());
    CHECK(slow->next() == nullptr);
    CHECK(f.held() <= 64 + 16);  // it had nothing in hand, so nothing is kept for it
    {
        const auto guard = f.domain.lock_dynamic();
        slow->restart();
    }
    CHECK(f.held() <= 16);
    f.push(200, 201);
    REQUIRE(slow->next() != nullptr);
}

TEST_CASE("what a lost reader has in hand stays until it releases") {
    Fixture f;
    auto slow = f.reader();
    f.push(0, 1);
    const std::uint64_t* const item = slow->next();
    REQUIRE(item != nullptr);
    f.push(1, 300);
    CHECK(slow->lost());
    CHECK(*item == 0);
    CHECK(f.held() >= 300);
    slow->release();
    CHECK(slow->next() == nullptr);
    CHECK(f.held() <= 64 + 16);
}

TEST_CASE("readers follow a writer from other threads") {
    locking::Domain<test::Table> domain;
    Journal<std::uint64_t, 16> journal(domain, UINT64_MAX);
    constexpr std::uint64_t items = 20000;
    std::vector<std::thread> threads;
    std::atomic<int> good{0};
    std::atomic<int> ready{0};
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            std::optional<Journal<std::uint64_t, 16>::Reader> reader;
            {
                const auto guard = domain.lock_dynamic();
                reader.emplace(journal);
            }
            ++ready;
            std::uint64_t expected = 0;
            while (expected < items) {
                const std::uint64_t* const item = reader->next();
                if (item == nullptr) {
                    std::this_thread::yield();
                    continue;
                }
                if (*item != expected) return;
                ++expected;
                if (expected % 7 == 0) reader->release();
            }
            ++good;
        });
    }
    while (ready < 3)
        std::this_thread::yield();
    for (std::uint64_t i = 0; i < items; ++i) {
        const auto guard = domain.lock_dynamic();
        journal.push(i);
    }
    for (std::thread& thread : threads)
        thread.join();
    CHECK(good == 3);
    const auto guard = domain.lock_dynamic();
    journal.reclaim();
    CHECK(journal.held() <= 32);
}

}  // namespace tern::loops
