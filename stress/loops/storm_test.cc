// Loops that are moved, resized and stolen all the time: bytes, timers and events for them arrive
// once, and nothing stays behind.
#include "alloc/page_cache.h"
#include "alloc/page_source_test.h"
#include "locking/backoff.h"
#include "loops/page_upkeep.h"
#include "loops/stream_testing.h"
#include "loops/test_support.h"
#include "stress/loops/stopper.h"
#include "stress/scale.h"

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <thread>

#include <catch2/catch.hpp>

namespace tern::stress {

using loops::Event;
using loops::GroupKind;
using loops::GroupOptions;
using loops::Interest;
using loops::Loop;
using loops::LoopEntry;
using loops::PauseReason;
using loops::Ready;
using loops::Sent;
using loops::ThreadGroup;
using loops::Turn;
using loops::Watcher;
using loops::test::Action;
using loops::test::ByteStream;
using loops::test::Real;
using loops::test::TestLoop;

namespace {

constexpr unsigned senders = 4;
constexpr std::size_t loop_count = 8;

/// A thread writes and a loop reads.
struct Stream : ByteStream {
    explicit Stream(Loop& loop_) : loop(loop_) { watch(); }

    void watch() {
        const LoopEntry entry(loop);
        watcher.reset();
        watcher.emplace(loop, reads.get(), Interest::readable, ready, this);
    }

    void pause_or_resume() {
        const LoopEntry entry(loop);
        if (watcher->rx_paused()) {
            watcher->resume_rx(PauseReason::user);
        } else {
            watcher->pause_rx(PauseReason::user);
        }
    }

    static void ready(void* context, Turn& turn, Ready what) {
        auto& self = *static_cast<Stream*>(context);
        TERN_ASSERT(&turn.loop() == &self.loop, "delivered in another loop");
        TERN_ASSERT(what.readable && !self.watcher->rx_paused(), "delivered unwanted");
        self.read();
    }

    /// Ends it if nothing is under way any more.
    bool finished() {
        const LoopEntry entry(loop);
        if (!watcher) return true;
        if (watcher->rx_paused()) watcher->resume_rx(PauseReason::user);
        if (received != sent) return false;
        watcher.reset();
        return true;
    }

    Loop& loop;
    std::optional<Watcher> watcher;
};

void write_at_random(std::deque<Stream>& streams, unsigned writer, std::uint64_t rounds) {
    std::mt19937 random(writer);
    for (std::uint64_t i = 0; i < rounds; ++i) {
        const std::size_t at = random() % streams.size();
        streams[at - at % senders + writer].write();
        if (random() % 64 == 0) std::this_thread::yield();
    }
}

/// How the end of a loop is told: in the loop of whoever asked, when nothing runs any more. The
/// others are defects.
enum class Stop { proper, told_at_once, told_elsewhere };

/// Eight loops at a time, each of which ends as soon as it has begun, and is followed by the next.
struct Lives {
    struct Life {
        explicit Life(Lives& all_) : all(all_) {}

        Lives& all;
        std::optional<TestLoop> loop;
        int sent = 0;
        std::atomic<int> ran{0};
        Event first{[](void* self, Turn&) { ++static_cast<Life*>(self)->ran; }, this};
        Event ping{[](void*, Turn&) {}, nullptr};
        Event stopped{[](void* self, Turn& turn) {
                          auto& life = *static_cast<Life*>(self);
                          life.all.told(life, turn.loop());
                      },
                      this};
        Event next{[](void* self, Turn&) {
                       auto& life = *static_cast<Life*>(self);
                       life.all.live(life);
                   },
                   this};
    };

    Lives(Stop stop_, std::uint64_t count) : stop(stop_), left(static_cast<int>(count)) {
        for (int i = 0; i < at_once; ++i)
            all.emplace_back(*this);
    }

    void run() {
        real.run([&](Turn&) {
            for (Life& life : all)
                live(life);
        });
        CHECK(left == 1 - at_once);
    }

    void live(Life& life) {
        life.loop.reset();
        if (--left <= 0) {
            if (left == 1 - at_once) real.runtime.quit();
            return;
        }
        Loop& loop = life.loop.emplace(real.group, "life").loop;
        ++life.sent;
        life.first.send(loop);
        loop.stop(stop == Stop::told_elsewhere ? other.loop : main, life.stopped);
        if (stop == Stop::told_at_once) ended(life);
        life.ping.send(loop);
    }

    void ended(const Life& life) { early += life.ran == life.sent ? 0 : 1; }

    void told(Life& life, const Loop& where) {
        if (&where != &main) {
            ++misplaced;
            life.next.send(main);
            return;
        }
        ended(life);
        live(life);
    }

    static constexpr int at_once = 8;

    const Stop stop;
    int left;
    Real real{3};
    Loop& main = real.runtime.main_loop();
    TestLoop other{real.group, "other"};
    int early = 0;      ///< told before it had run what was sent to it
    int misplaced = 0;  ///< told in another loop, which alone counts them
    std::deque<Life> all;
};

}  // namespace

TEST_CASE("a storm of bytes into loops that move, and watchers that come and go, loses none") {
    const std::uint64_t rounds = scaled(100'000);
    Real real(3);
    ThreadGroup& express =
        real.runtime.add_group({.name = "express", .kind = GroupKind::latency, .threads = 2});
    std::deque<TestLoop> all;
    std::deque<Stream> streams;
    for (std::size_t i = 0; i < loop_count; ++i) {
        all.emplace_back(real.group, "target");
        // Some have so few that they take them along one by one, some so many that they do not.
        for (std::size_t many = senders * (1 + i % 4); many > 0; --many)
            streams.emplace_back(all.back().loop);
    }
    Stopper stopper(real.runtime);
    std::atomic<unsigned> active{senders};
    std::vector<std::thread> threads;
    std::mt19937 random(1);
    std::optional<Event> churn;
    bool resized = true;
    Action resized_action{[&](Turn&) {
        resized = true;
        if (stopper.stopping()) stopper.one_ended();
    }};
    Event resized_event(resized_action.callback());
    Action churn_action{[&](Turn& turn) {
        all[random() % loop_count].loop.move_to(random() % 2 == 0 ? express : real.group);
        if (active != 0) {
            Stream& stream = streams[random() % streams.size()];
            random() % 2 == 0 ? stream.watch() : stream.pause_or_resume();
        }
        bool over = active == 0;
        for (Stream& stream : streams)
            over = over && stream.finished();
        if (over) {
            stopper.stop(all, resized ? 0 : 1);
            return;
        }
        if (resized && random() % 64 == 0) {
            resized = false;
            const unsigned count = 1 + static_cast<unsigned>(random() % 6);
            real.group.set_threads(count, turn.loop(), resized_event);
        }
        churn->send(turn.loop());
    }};
    churn.emplace(churn_action.callback());
    real.run([&](Turn& turn) {
        churn->send(turn.loop());
        for (unsigned s = 0; s < senders; ++s) {
            threads.emplace_back([&, s] {
                write_at_random(streams, s, rounds);
                --active;
            });
        }
    });
    for (std::thread& thread : threads)
        thread.join();
    for (const Stream& stream : streams)
        CHECK(stream.received == stream.sent);
}

TEST_CASE("a send that finds its event queued is seen by the run to come") {
    // The second send of each pair comes while the loop is about to run the event for the first. If
    // the end of the claim could pass the reads of the handler, neither would see the other.
    const std::uint64_t pairs = scaled(600'000);
    Real real(GroupOptions{.kind = GroupKind::latency, .threads = 1});
    std::deque<TestLoop> loop;
    loop.emplace_back(real.group, "seen");

    struct Seen {
        std::atomic<std::uint64_t> told{0};
        std::atomic<std::uint64_t> seen{0};
        std::atomic<std::uint64_t> runs{0};
    } seen;

    Event event(
        [](void* self, Turn&) {
            auto& each = *static_cast<Seen*>(self);
            each.seen.store(each.told.load(std::memory_order_acquire), std::memory_order_relaxed);
            each.runs.fetch_add(1, std::memory_order_release);
        },
        &seen);
    Stopper stopper(real.runtime);
    Action finished_action{[&](Turn&) { stopper.stop(loop); }};
    Event finished(finished_action.callback());
    std::uint64_t unseen = 0;
    std::thread sender;
    real.run([&](Turn&) {
        sender = std::thread([&] {
            std::uint64_t queued = 0;
            for (std::uint64_t i = 1; i <= 2 * pairs; ++i) {
                seen.told.store(i, std::memory_order_release);
                if (event.send(loop[0].loop) == Sent::queued) ++queued;
                if (i % 2 == 1) {
                    for (std::uint64_t pause = i * 7919 % 40; pause > 0; --pause)
                        locking::cpu_pause();
                    continue;
                }
                while (seen.runs.load(std::memory_order_acquire) < queued)
                    std::this_thread::yield();
                unseen += seen.seen.load(std::memory_order_relaxed) != i ? 1 : 0;
            }
            finished.send(real.runtime.main_loop());
        });
    });
    sender.join();
    CHECK(unseen == 0);
}

TEST_CASE("AT-THR-2 threads come and go under traffic and timers", "[AT-THR-2]") {
    const std::uint64_t changes = scaled(100);
    const std::uint64_t most = scaled_to(16, 64);
    const std::size_t descriptors = loops::test::open_descriptors();
    // All threads together fill less than one region.
    alloc::TestSource source;
    alloc::PageCache cache(source, {.keep_pages_main_max = 64,
                                    .keep_pages_main_min = 4,
                                    .cleanup_pages_bulk = 16,
                                    .magazine_pages = 2});

    struct Traffic {
        static void tick(void* context, Turn&) {
            auto& self = *static_cast<Traffic*>(context);
            ++self.ticks;
            void* const first = self.cache.allocate();
            void* const second = self.cache.allocate();
            self.cache.deallocate(first);
            self.cache.deallocate(second);
        }

        alloc::PageCache& cache;
        std::atomic<std::uint64_t> ticks{0};
    } traffic{cache};

    std::uint64_t left = changes;
    {
        Real real(4);
        loops::keep_pages(real.runtime, cache);
        std::deque<TestLoop> all;
        std::deque<loops::Timer> timers;
        for (int i = 0; i < 32; ++i)
            timers.emplace_back(all.emplace_back(real.group, "ticking").loop, Traffic::tick,
                                &traffic);
        Stopper stopper(real.runtime);
        std::mt19937 random(2);
        std::optional<Event> resized;
        Action resized_action{[&](Turn& turn) {
            if (--left > 0) {
                const auto threads = static_cast<unsigned>(1 + random() % most);
                real.group.set_threads(threads, turn.loop(), *resized);
                return;
            }
            // Whoever has them now still runs all of them.
            stopper.stop(all);
        }};
        resized.emplace(resized_action.callback());
        real.run([&](Turn& turn) {
            for (std::size_t i = 0; i < timers.size(); ++i) {
                const LoopEntry entry(all[i].loop);
                timers[i].every(loops::microseconds(100 + static_cast<std::int64_t>(i)));
            }
            resized->send(turn.loop());
        });
        cache.on_maintenance_due(nullptr, nullptr);
    }
    CHECK(left == 0);
    CHECK(loops::test::open_descriptors() == descriptors);
    CHECK(source.calls() == 1);
    CHECK(cache.stats().in_use == 0);
    cache.verify();
}

TEST_CASE("AT-POOL-9 loops are made, sent to and stopped in a storm", "[AT-POOL-9]") {
    Lives lives(Stop::proper, scaled(3000));
    lives.run();
    CHECK(lives.early == 0);
    CHECK(lives.misplaced == 0);
}

TEST_CASE("AT-POOL-9 an end that is told too early or in another loop would be seen",
          "[AT-POOL-9]") {
    Lives hasty(Stop::told_at_once, scaled(3000));
    hasty.run();
    CHECK(hasty.early > 0);
    Lives elsewhere(Stop::told_elsewhere, scaled(3000));
    elsewhere.run();
    CHECK(elsewhere.misplaced > 0);
}

TEST_CASE("a great many loops are pinged all at once, twice") {
    const std::uint64_t count = scaled_down(100'000);
    Real real(2);
    std::deque<TestLoop> all;
    std::deque<Event> events;
    std::atomic<std::uint64_t> runs{0};
    for (std::uint64_t i = 0; i < count; ++i) {
        all.emplace_back(real.group, "one of many");
        events.emplace_back(
            [](void* sum, Turn&) { ++*static_cast<std::atomic<std::uint64_t>*>(sum); }, &runs);
    }
    Stopper stopper(real.runtime);
    std::optional<Event> again;
    int round = 0;
    Action again_action{[&](Turn& turn) {
        if (runs < count * static_cast<std::uint64_t>(round)) {
            again->send(turn.loop());
        } else if (round == 2) {
            stopper.stop(all);
        } else {
            ++round;
            for (std::uint64_t i = 0; i < count; ++i)
                events[i].send(all[i].loop);
            again->send(turn.loop());
        }
    }};
    again.emplace(again_action.callback());
    real.run([&](Turn& turn) { again->send(turn.loop()); });
    CHECK(runs == 2 * count);
}

}  // namespace tern::stress
