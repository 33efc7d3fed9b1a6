// Watchers and threads: loops that move while their sockets are written to, watchers that others
// destroy under load, and how many descriptors all that costs. Socket pairs only.
#include "loops/stream_testing.h"
#include "loops/test_support.h"

#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::loops {

using test::Action;
using test::open_descriptors;
using test::Real;
using test::TestLoop;

namespace {

/// Its reading end is watched.
struct Stream : test::ByteStream {
    void watch(Loop& loop) { watcher.emplace(loop, reads.get(), Interest::readable, ready, this); }

    static void ready(void* context, Turn&, Ready what) {
        auto& self = *static_cast<Stream*>(context);
        TERN_ASSERT(what.readable && !what.error, "a stream is ready for something else");
        TERN_ASSERT(running_loop == &self.watcher->loop(), "delivered in another loop");
        // It was read by nobody else, so a report without bytes is one that came twice.
        if (!self.read()) ++self.in_vain;
    }

    std::size_t in_vain = 0;
    std::optional<Watcher> watcher;
};

/// A loop with some streams that goes to and fro between two groups while they are written to.
class Wanderer {
  public:
    explicit Wanderer(std::size_t streams) : streams_(streams) {}

    void run() {
        real_.run([this](Turn& turn) {
            {
                const LoopEntry entry(loop_.loop);
                for (Stream& stream : streams_)
                    stream.watch(loop_.loop);
            }
            writer_ = std::thread([this] { write(); });
            move_.send(turn.loop());
        });
        writer_.join();
    }

    void write() {
        for (std::size_t i = 0; moves() < wanted_moves; ++i) {
            streams_[i % streams_.size()].write();
            if (i % 16 == 0) std::this_thread::yield();
        }
        written_.store(true, std::memory_order_release);
    }

    static constexpr std::uint64_t wanted_moves = 200;

    bool all_received() const {
        for (const Stream& stream : streams_) {
            if (stream.received != stream.sent) return false;
        }
        return true;
    }

    std::size_t in_vain() const {
        std::size_t sum = 0;
        for (const Stream& stream : streams_)
            sum += stream.in_vain;
        return sum;
    }

    std::uint64_t moves() const { return real_.group.moves() + other_.moves(); }

  private:
    void go_on(Turn& turn) {
        const bool written = written_.load(std::memory_order_acquire);
        bool over = false;
        {
            const LoopEntry entry(loop_.loop);
            over = written && all_received();
            if (over) {
                for (Stream& stream : streams_)
                    stream.watcher.reset();
            }
        }
        if (over) {
            loop_.loop.stop(turn.loop(), stopped_);
            return;
        }
        there_ = !there_;
        loop_.loop.move_to(there_ ? other_ : real_.group);
        move_.send(turn.loop());
    }

    Real real_{1};
    ThreadGroup& other_ = real_.runtime.add_group({.name = "other", .threads = 1});
    TestLoop loop_{real_.group, "wanderer"};
    std::deque<Stream> streams_;
    std::thread writer_;
    std::atomic<bool> written_{false};
    bool there_ = false;
    Action move_action_{[this](Turn& turn) { go_on(turn); }};
    Event move_{move_action_.callback()};
    Action stopped_action_{[this](Turn&) { real_.runtime.quit(); }};
    Event stopped_{stopped_action_.callback()};
};

}  // namespace

TEST_CASE("AT-SOCK-8 a loop that moves under traffic hears of each byte, and of none twice",
          "[AT-SOCK-8]") {
    for (const std::size_t streams : {1U, 8U, 9U, 100U}) {
        INFO(streams << " streams");
        Wanderer wanderer(streams);
        wanderer.run();
        CHECK(wanderer.all_received());
        CHECK(wanderer.in_vain() == 0);
    }
}

TEST_CASE("a loop has a descriptor of its own only if it moves with many") {
    for (const std::size_t count : {1U, 8U, 9U, 100U}) {
        INFO(count << " watchers");
        Real real(1);
        ThreadGroup& other = real.runtime.add_group({.name = "other", .threads = 1});
        TestLoop loop(real.group, "loop");
        std::deque<Stream> streams(count);
        const std::size_t before = open_descriptors();
        std::vector<std::size_t> open;  // at home, after one move, and back at home
        Action quit{[&](Turn&) { real.runtime.quit(); }};
        Event stopped(quit.callback());
        Event* next = nullptr;
        Action visit_action{[&](Turn& turn) {
            if (open.empty()) {
                for (Stream& stream : streams)
                    stream.watch(turn.loop());
            }
            const bool arrived = open.size() == 1 ? other.moves() != 0 : real.group.moves() != 0;
            if (open.empty() || arrived) {
                open.push_back(open_descriptors());
                turn.loop().move_to(open.size() == 1 ? other : real.group);
            }
            if (open.size() == 3) streams.clear();
            next->send(real.runtime.main_loop());
        }};
        Event visit(visit_action.callback());
        Action next_action{[&](Turn& turn) {
            if (open.size() < 3) {
                visit.send(loop.loop);
            } else {
                loop.loop.stop(turn.loop(), stopped);
            }
        }};
        Event next_event(next_action.callback());
        next = &next_event;
        real.run([&](Turn&) { visit.send(loop.loop); });
        const std::size_t own = count > 8 ? 1 : 0;
        CHECK(open == std::vector<std::size_t>{before, before + own, before + own});
    }
}

TEST_CASE("two loops of one thread may watch one descriptor") {
    Real real(1);
    TestLoop first(real.group, "first");
    TestLoop second(real.group, "second");
    Stream stream;
    bool heard[2] = {false, false};
    std::optional<Watcher> watchers[2];
    int stops = 2;
    Action stopped_action{[&](Turn&) {
        if (--stops == 0) real.runtime.quit();
    }};
    Event stopped_first(stopped_action.callback());
    Event stopped_second(stopped_action.callback());
    Action over_action{[&](Turn& turn) {
        first.loop.stop(turn.loop(), stopped_first);
        second.loop.stop(turn.loop(), stopped_second);
    }};
    Event over(over_action.callback());

    struct Hearing {
        bool& heard;
        bool& other;
        std::optional<Watcher>& watcher;
        Event& over;
        Loop& main;

        static void ready(void* context, Turn&, Ready what) {
            auto& self = *static_cast<Hearing*>(context);
            CHECK(what.readable);
            self.heard = true;
            self.watcher.reset();  // the byte stays for the other one
            if (self.other) self.over.send(self.main);
        }
    } hearing[2] = {{heard[0], heard[1], watchers[0], over, real.runtime.main_loop()},
                    {heard[1], heard[0], watchers[1], over, real.runtime.main_loop()}};

    real.run([&](Turn&) {
        Loop* const loops[2] = {&first.loop, &second.loop};
        for (int i = 0; i < 2; ++i) {
            const LoopEntry entry(*loops[i]);
            watchers[i].emplace(*loops[i], stream.reads.get(), Interest::readable, Hearing::ready,
                                &hearing[i]);
        }
        stream.write();
    });
    CHECK(heard[0]);
    CHECK(heard[1]);
}

TEST_CASE("a watcher that another thread destroys under load is not called any more") {
    constexpr int rounds = 1000;
    Real real(2);
    TestLoop loop(real.group, "loop");
    Stream stream;
    std::atomic<bool> over{false};
    std::thread writer;
    std::size_t calls = 0;

    struct Target {
        std::size_t* calls;
        int fd;
        bool alive = true;

        static void ready(void* context, Turn&, Ready) {
            auto& self = *static_cast<Target*>(context);
            TERN_ASSERT(self.alive, "called after its watcher was destroyed");
            ++*self.calls;
            unsigned char buffer[16];
            [[maybe_unused]] const ssize_t got = ::read(self.fd, buffer, sizeof buffer);
        }
    };

    std::deque<Target> targets;
    std::optional<Watcher> watcher;
    int left = rounds;
    Event* again = nullptr;
    Action stopped_action{[&](Turn&) { real.runtime.quit(); }};
    Event stopped(stopped_action.callback());
    Action renew_action{[&](Turn& turn) {
        {
            const LoopEntry entry(loop.loop);
            watcher.reset();
            if (!targets.empty()) targets.back().alive = false;
            if (--left > 0 || calls < 100) {
                targets.push_back({&calls, stream.reads.get()});
                watcher.emplace(loop.loop, stream.reads.get(), Interest::readable, Target::ready,
                                &targets.back());
            }
        }
        if (watcher) {
            for (int i = left & 7; i > 0; --i)
                std::this_thread::yield();
            again->send(turn.loop());
        } else {
            over = true;
            loop.loop.stop(turn.loop(), stopped);
        }
    }};
    Event renew(renew_action.callback());
    again = &renew;
    real.run([&](Turn& turn) {
        writer = std::thread([&] {
            while (!over) {
                stream.write();
                std::this_thread::yield();
            }
        });
        renew.send(turn.loop());
    });
    writer.join();
    CHECK(calls >= 100);
}

}  // namespace tern::loops
