// Random sizes in random threads, three of ten pieces freed by another thread than took them, with
// threads that come and go and a source that refuses now and then.

#include "alloc/page_cache.h"
#include "alloc/page_source_test.h"
#include "alloc/slab_shared.h"
#include "stress/alloc/model.h"
#include "stress/scale.h"

#include <atomic>
#include <random>
#include <thread>

#include <catch2/catch.hpp>

namespace tern::alloc::torture {
namespace {

struct Object {
    std::byte bytes[104];
};

struct Shared {
    TestSource source;
    PageCache cache;
    SharedSlab<Object> slab{cache, "objects"};
    std::array<Mailbox, 8> mail;
    std::atomic<std::uint64_t> stamps{1};
    std::atomic<int> broken{0};
    std::atomic<std::uint64_t> refused{0};

    explicit Shared(const PageCacheConfig& config) : cache(source, config) {}

    /// nullptr start if the source refused.
    Piece take(std::mt19937& random) {
        Piece piece{};
        piece.stamp = stamps.fetch_add(1, std::memory_order_relaxed) * 0x9e3779b97f4a7c15;
        switch (random() % 8) {
            case 0: {
                const std::size_t pages = 2 + random() % (random() % 16 == 0 ? 600 : 12);
                piece = {Kind::run, pages * page_bytes,
                         static_cast<std::byte*>(cache.try_allocate_run(pages)), piece.stamp};
                break;
            }
            case 1:
            case 2:
            case 3:
                piece = {Kind::page, page_bytes, static_cast<std::byte*>(cache.try_allocate()),
                         piece.stamp};
                break;
            default:
                piece = {Kind::object, sizeof(Object),
                         reinterpret_cast<std::byte*>(slab.try_make()), piece.stamp};
                break;
        }
        if (piece.start == nullptr) {
            refused.fetch_add(1, std::memory_order_relaxed);
        } else {
            piece.fill();
        }
        return piece;
    }

    void give(const Piece& piece) {
        if (!piece.intact()) broken.fetch_add(1);
        switch (piece.kind) {
            case Kind::page:
                cache.deallocate(piece.start);
                break;
            case Kind::run:
                cache.deallocate_run(piece.start, piece.bytes / page_bytes);
                break;
            default:
                slab.destroy(*reinterpret_cast<Object*>(piece.start));
                break;
        }
    }
};

/// One thread's share of the work; what it holds at the end goes to others.
void work(Shared& shared, unsigned seed, std::size_t steps) {
    std::mt19937 random(seed);
    std::vector<Piece> mine;
    Mailbox& inbox = shared.mail[seed % shared.mail.size()];
    for (std::size_t step = 0; step < steps; ++step) {
        if (random() % 2 == 0 || mine.empty()) {
            const Piece piece = shared.take(random);
            if (piece.start != nullptr) mine.push_back(piece);
        } else {
            std::swap(mine[random() % mine.size()], mine.back());
            const Piece piece = mine.back();
            mine.pop_back();
            if (random() % 10 < 3) {
                shared.mail[random() % shared.mail.size()].put(piece);
            } else {
                shared.give(piece);
            }
        }
        if (step % 64 == 0) {
            for (const Piece& piece : inbox.take())
                shared.give(piece);
        }
        if (shared.cache.maintenance_due()) shared.cache.maintain();
    }
    for (const Piece& piece : mine)
        shared.mail[random() % shared.mail.size()].put(piece);
}

void finish(Shared& shared) {
    for (Mailbox& box : shared.mail) {
        for (const Piece& piece : box.take())
            shared.give(piece);
    }
    CHECK(shared.broken.load() == 0);
    shared.slab.flush_thread();
    shared.slab.verify();
    CHECK(shared.slab.stats().live == 0);
    shared.cache.flush_thread();
    for (int i = 0; shared.cache.maintenance_due() && i < 10000; ++i)
        shared.cache.maintain();
    shared.cache.verify();
    CHECK_FALSE(shared.cache.maintenance_due());
}

PageCacheConfig tight() {
    PageCacheConfig config;
    config.keep_pages_main_max = 512;
    config.keep_pages_main_min = 32;
    config.cleanup_pages_bulk = 128;
    config.magazine_pages = 16;
    config.keep_cold_regions = 1;
    return config;
}

TEST_CASE("random pieces in many threads keep their contents and all come back") {
    Shared shared(tight());
    std::vector<std::thread> threads;
    for (unsigned seed = 0; seed < 4; ++seed)
        threads.emplace_back([&, seed] { work(shared, seed, stress::scaled(100'000)); });
    for (std::thread& thread : threads)
        thread.join();
    CHECK(shared.refused.load() == 0);
    finish(shared);
}

TEST_CASE("threads that come and go lose nothing") {
    Shared shared(tight());
    std::mt19937 random(9);
    for (std::uint64_t round = 0; round < stress::scaled(400); ++round) {
        std::vector<std::thread> threads;
        for (auto n = 1 + random() % 6; n != 0; --n) {
            const auto seed = static_cast<unsigned>(random());
            threads.emplace_back([&, seed] { work(shared, seed, seed % 300); });
        }
        for (std::thread& thread : threads)
            thread.join();
    }
    finish(shared);
}

TEST_CASE("a limit that is met all the time refuses and breaks nothing") {
    PageCacheConfig config = tight();
    config.mapped_pages_max = 2 * region_pages;
    Shared shared(config);
    std::vector<std::thread> threads;
    for (unsigned seed = 0; seed < 3; ++seed)
        threads.emplace_back([&, seed] { work(shared, seed, stress::scaled(100'000)); });
    for (std::thread& thread : threads)
        thread.join();
    CHECK(shared.source.mapped_bytes() <= 2 * region_bytes);
    finish(shared);
}

TEST_CASE("a source that refuses every n-th call breaks nothing") {
    for (const std::size_t n : {1, 2, 3, 7}) {
        Shared shared(tight());
        shared.source.fail_every(n);
        std::thread other([&] { work(shared, 1, stress::scaled(20'000)); });
        work(shared, 2, stress::scaled(20'000));
        other.join();
        if (n == 1) CHECK(shared.refused.load() > 0);
        finish(shared);
    }
}

}  // namespace
}  // namespace tern::alloc::torture
