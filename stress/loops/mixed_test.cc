// Everything at once: events sent, sent again and taken back, timers, loops that stop and are made
// anew, that move between groups, and groups that change their size. What was queued runs or was
// taken back, once, and nothing runs in a loop that has stopped.
#include "locking/rcu.h"
#include "loops/test_support.h"
#include "stress/scale.h"

#include <array>
#include <atomic>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::stress {

using loops::Event;
using loops::GroupKind;
using loops::Loop;
using loops::LoopEntry;
using loops::Sent;
using loops::ThreadGroup;
using loops::Timer;
using loops::Turn;
using loops::test::Real;
using loops::test::TestLoop;

namespace {

/// What became of all that was sent.
struct Sums {
    std::atomic<std::uint64_t> queued{0};
    std::atomic<std::uint64_t> runs{0};
    std::atomic<std::uint64_t> cancelled{0};
    std::atomic<std::uint64_t> refused{0};  ///< because the loop had stopped
    std::atomic<std::uint64_t> ticks{0};
    std::atomic<std::uint64_t> ended{0};  ///< lives
};

class Life;

/// Where loops are found by those who send; empty between two lives.
using Place = std::atomic<Life*>;

/// The loop of one place from its making to its end, and what is sent to it.
class Life : private locking::rcu::Retired {
  public:
    Life(ThreadGroup& group, std::vector<Place>& places, Sums& sums)
        : loop_(group, "life"), places_(places), sums_(sums) {
        born_.send(loop_.loop);
    }

    /// When nobody can send any more.
    ~Life() {
        TERN_ASSERT(queued_ == runs_ + cancelled_, "queued ", queued_.load(), ", run ", runs_,
                    ", taken back ", cancelled_);
        sums_.queued += queued_;
        sums_.runs += runs_;
        sums_.cancelled += cancelled_;
        ++sums_.ended;
    }

    Life(const Life&) = delete;
    Life& operator=(const Life&) = delete;

    Loop& loop() { return loop_.loop; }

    /// Any thread, in a read section.
    void send(std::size_t which) {
        const Sent sent = events_[which % events_.size()].send(loop_.loop);
        if (sent == Sent::queued) queued_.fetch_add(1, std::memory_order_relaxed);
        if (sent == Sent::stopped) sums_.refused.fetch_add(1, std::memory_order_relaxed);
    }

    /// In the main loop, once nobody finds it any more. Those who have found it may still send.
    /// It ends by itself after that, and tells it by `stopped` first.
    void stop(Loop& main, std::function<void()>& stopped) {
        tell_ = &stopped;
        loop_.loop.stop(main, stopped_);
    }

  private:
    static void start(void* context, Turn&) {
        auto& self = *static_cast<Life*>(context);
        self.check_alive();
        self.begin_timer();
    }

    static void tick(void* context, Turn&) {
        auto& self = *static_cast<Life*>(context);
        self.check_alive();
        self.sums_.ticks.fetch_add(1, std::memory_order_relaxed);
        self.act();
    }

    static void run(void* context, Turn&) {
        auto& self = *static_cast<Life*>(context);
        self.check_alive();
        ++self.runs_;
        if (self.loop_.loop.random() % 4 == 0) self.act();
    }

    void begin_timer() {
        const auto period = static_cast<std::int64_t>(5000 + loop_.loop.random() % 50'000);
        timer_.every(loops::microseconds(period));
    }

    /// In a handler: something to itself, something to another.
    void act() {
        const std::uint64_t choice = loop_.loop.random();
        Event& own = events_[choice % events_.size()];
        switch (choice >> 8 & 3) {
            case 0:
                send(choice);
                break;
            case 1:
                cancelled_ += own.cancel() ? 1 : 0;
                break;
            case 2:
                begin_timer();
                break;
            default: {
                const locking::rcu::ReadSection reading;
                Life* const other =
                    places_[(choice >> 16) % places_.size()].load(std::memory_order_acquire);
                if (other != nullptr) other->send(choice >> 4);
            }
        }
    }

    void check_alive() const { TERN_ASSERT(!dead_.load(), "a handler ran in a loop that stopped"); }

    /// In the main loop.
    static void has_stopped(void* context, Turn&) {
        auto& self = *static_cast<Life*>(context);
        self.dead_ = true;
        (*self.tell_)();
        locking::rcu::retire(self,
                             [](Retired& node) noexcept { delete &static_cast<Life&>(node); });
    }

    TestLoop loop_;
    std::vector<Place>& places_;
    Sums& sums_;
    std::function<void()>* tell_ = nullptr;
    std::atomic<bool> dead_{false};
    std::atomic<std::uint64_t> queued_{0};
    std::uint64_t runs_ = 0;
    std::uint64_t cancelled_ = 0;
    Event born_{start, this};
    Event stopped_{has_stopped, this};
    Timer timer_{loop_.loop, tick, this};
    std::array<Event, 3> events_{{{run, this}, {run, this}, {run, this}}};
};

/// The main loop's part: it ends and makes lives, moves loops and changes the number of threads.
class Storm {
  public:
    Storm(std::size_t loops, unsigned senders)
        : places_(loops), active_(senders), random_(seed()) {}

    void run(std::uint64_t sends) {
        std::vector<std::thread> threads;
        real_.run([&](Turn& turn) {
            for (Place& place : places_)
                make(place);
            const unsigned senders = active_;
            for (unsigned i = 0; i < senders; ++i) {
                threads.emplace_back([this, i, sends] {
                    send(i, sends);
                    --active_;
                });
            }
            again_.send(turn.loop());
        });
        for (std::thread& thread : threads)
            thread.join();
        locking::rcu::drain();
    }

    const Sums& sums() const { return sums_; }

    std::uint64_t made() const { return made_; }

  private:
    void make(Place& place) {
        place.store(new Life(random_() % 2 == 0 ? real_.group : express_, places_, sums_),
                    std::memory_order_release);
        ++made_;
        ++alive_;
    }

    void end(Place& place) {
        Life* const life = place.exchange(nullptr, std::memory_order_acq_rel);
        life->stop(real_.runtime.main_loop(), stopped_);
    }

    void send(unsigned sender, std::uint64_t sends) {
        std::mt19937 random(sender);
        for (std::uint64_t i = 0; i < sends; ++i) {
            {
                const locking::rcu::ReadSection reading;
                Life* const life =
                    places_[random() % places_.size()].load(std::memory_order_acquire);
                if (life != nullptr) life->send(random());
            }
            if (random() % 64 == 0) std::this_thread::yield();
        }
    }

    void step(Turn& turn) {
        if (active_ == 0 && !resizing_) {
            for (Place& place : places_)
                end(place);
            return;
        }
        for (int i = 0; i < 4; ++i)
            place().load()->loop().move_to(random_() % 2 == 0 ? express_ : real_.group);
        Place& chosen = place();
        end(chosen);
        make(chosen);
        if (!resizing_) {
            resizing_ = true;
            real_.group.set_threads(1 + static_cast<unsigned>(random_() % 6), turn.loop(),
                                    resized_);
        }
        again_.send(turn.loop());
    }

    Place& place() { return places_[random_() % places_.size()]; }

    void resized() { resizing_ = false; }

    Real real_{3};
    ThreadGroup& express_ =
        real_.runtime.add_group({.name = "express", .kind = GroupKind::latency, .threads = 2});
    std::vector<Place> places_;
    Sums sums_;
    std::uint64_t made_ = 0;
    std::uint64_t alive_ = 0;
    std::function<void()> stopped_ = [this] {
        if (--alive_ == 0) real_.runtime.quit();
    };
    std::atomic<unsigned> active_;
    std::mt19937 random_;
    bool resizing_ = false;
    Event again_{loops::callback<&Storm::step>(*this)};
    Event resized_{loops::callback<&Storm::resized>(*this)};
};

}  // namespace

TEST_CASE("a storm of everything loses nothing, and nothing runs in a loop that has stopped") {
    constexpr unsigned senders = 4;
    Storm storm(scaled_to(400, 10'000), senders);
    storm.run(scaled(50'000));
    const Sums& sums = storm.sums();
    CHECK(sums.ended == storm.made());
    CHECK(sums.queued == sums.runs + sums.cancelled);
    CHECK(sums.runs > 0);
    CHECK(sums.ticks > 0);
}

}  // namespace tern::stress
