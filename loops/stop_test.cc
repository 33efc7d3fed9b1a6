// A loop ends once: whatever goes on around it, its stop comes through, and is told when nothing
// runs there any more.
#include "loops/test_support.h"

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::loops {

using test::Action;
using test::Real;
using test::TestLoop;

namespace {

/// What counts as the end of a loop: that it has come, or that it was asked for, which is the
/// defect: the loop may be on its way to a run.
enum class Ended { when_told, when_asked_for };

/// Eight loops live at a time; they are sent something, moved and stopped, while other threads ping
/// them.
class Storm {
  public:
    Storm(Ended ended, int rounds) : counts_as_end_(ended), left_(rounds), lives_(count) {
        for (Life& life : lives_)
            life.storm = this;
    }

    void run() {
        std::vector<std::thread> pingers;
        real_.run([&](Turn&) {
            for (unsigned seed = 0; seed < 2; ++seed)
                pingers.emplace_back([this, seed] { ping(seed); });
            begin();
        });
        for (std::thread& pinger : pingers)
            pinger.join();
    }

    int left() const { return left_; }

    /// Loops that counted as ended before they ran what had been sent to them.
    int early() const { return early_; }

  private:
    static constexpr std::size_t count = 8;

    struct Life {
        Storm* storm = nullptr;
        std::optional<TestLoop> loop;
        int sent = 0;
        std::atomic<int> ran{0};
        Event work{[](void* self, Turn&) { ++static_cast<Life*>(self)->ran; }, this};
        Event stopped{[](void* self, Turn&) {
                          auto& life = *static_cast<Life*>(self);
                          life.storm->told(life);
                      },
                      this};
    };

    void ping(unsigned seed) {
        std::mt19937 random(seed);
        while (!over_) {
            ++inside_;
            if (alive_) lives_[random() % count].loop->loop.wake();
            --inside_;
            std::this_thread::yield();
        }
    }

    void begin() {
        for (Life& life : lives_)
            life.loop.emplace(real_.group, "l");
        alive_ = true;
        present_ = count;
        for (Life& life : lives_)
            end(life);
    }

    /// An idle loop is stopped at once, one that has something to do by its thread.
    void end(Life& life) {
        Loop& loop = life.loop->loop;
        if (random_() % 2 == 0 && life.work.send(loop) == Sent::queued) ++life.sent;
        if (random_() % 2 == 0) loop.move_to(random_() % 2 == 0 ? express_ : real_.group);
        loop.stop(real_.runtime.main_loop(), life.stopped);
        if (counts_as_end_ == Ended::when_asked_for) ended(life);
        if (random_() % 2 == 0) loop.move_to(express_);
    }

    void ended(const Life& life) { early_ += life.ran == life.sent ? 0 : 1; }

    void told(Life& life) {
        ended(life);
        if (--present_ > 0) return;
        alive_ = false;
        while (inside_ != 0)
            std::this_thread::yield();
        for (Life& each : lives_)
            each.loop.reset();
        if (--left_ > 0) {
            begin();
            return;
        }
        over_ = true;
        real_.runtime.quit();
    }

    const Ended counts_as_end_;
    Real real_{2};
    ThreadGroup& express_ =
        real_.runtime.add_group({.name = "express", .kind = GroupKind::latency, .threads = 2});
    int left_;
    int early_ = 0;
    std::size_t present_ = 0;
    std::mt19937 random_{9};  // NOLINT: the seed is part of the test
    std::deque<Life> lives_;
    std::atomic<bool> alive_{false};
    std::atomic<bool> over_{false};
    std::atomic<int> inside_{0};
};

}  // namespace

TEST_CASE("AT-POOL-8 the event that tells of the stop may destroy the loop", "[AT-POOL-8]") {
    Real real(2);
    auto loop = std::make_unique<TestLoop>(real.group, "gone");
    Action stopped_action{[&](Turn&) {
        loop.reset();
        real.runtime.quit();
    }};
    Event stopped(stopped_action.callback());
    real.run([&](Turn& turn) { loop->loop.stop(turn.loop(), stopped); });
    CHECK(loop == nullptr);
}

TEST_CASE("AT-PING-3 stops come through while loops are pinged and moved", "[AT-PING-3]") {
    Storm storm(Ended::when_told, 200);
    storm.run();
    CHECK(storm.left() == 0);
    CHECK(storm.early() == 0);
}

TEST_CASE("AT-PING-3 a stop that waits for no run would be seen", "[AT-PING-3]") {
    Storm storm(Ended::when_asked_for, 200);
    storm.run();
    CHECK(storm.left() == 0);
    CHECK(storm.early() > 0);
}

}  // namespace tern::loops
