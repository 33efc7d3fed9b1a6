// The scheduler's own code on a machine of weak memory order, in every interleaving: queues of
// runnable loops, sends, sleep and wake-up, and threads that leave (stress/weak/explore.h). What a
// thread does between two loops is the worker's; only a run is told anew, as it needs a thread of
// its own. Each memory order that matters is taken out once, and its loss is seen.
#include "loops/cell.h"
#include "loops/event.h"
#include "loops/group_state.h"
#include "loops/loop.h"
#include "loops/runtime.h"
#include "loops/sim_clock.h"
#include "loops/worker.h"
#include "stress/weak/explore.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::loops {

namespace {

using stress::weak::Access;
using stress::weak::as_written;
using stress::weak::explore;
using stress::weak::Findings;
using stress::weak::Orders;
using stress::weak::Program;

/// Waits until it is kicked; there are no descriptors.
class KickPoller final : public Poller {
  public:
    int add(int, Interest, Token) override { return 0; }

    int change(int, Interest, Token) override { return 0; }

    void remove(int) override {}

    std::size_t wait(std::span<Report>, Duration timeout) override {
        if (timeout > Duration()) stress::weak::wait_while(&kicked_, sizeof kicked_, 0);
        kicked_.exchange(0);
        return 0;
    }

    void kick() override { kicked_.exchange(1); }

    int descriptor() const override { return -1; }

  private:
    std::atomic<std::uint32_t> kicked_{0};
};

class KickPollers final : public PollerFactory {
  public:
    std::unique_ptr<Poller> make(PollerUse) override { return std::make_unique<KickPoller>(); }
};

// ------------------------------------------------------------------------------------------------

/// Two threads make a loop each and push it; the owner of the queue takes them out.
class Pushes final : public Program {
  public:
    unsigned threads() const override { return 3; }

    void run(unsigned thread) override {
        if (thread == 2) {
            take();
            if (queue_.size() != 0) take();
            return;
        }
        auto* const cell = new (&room_[thread * sizeof(LoopCell)]) LoopCell;
        queue_.push(*cell);
    }

    std::string_view judge() override {
        while (LoopCell* const cell = queue_.pop())
            count(*cell);
        return taken_[0] == 1 && taken_[1] == 1 ? "" : "a loop is lost";
    }

  private:
    void take() {
        if (LoopCell* const cell = queue_.pop()) count(*cell);
    }

    void count(const LoopCell& cell) {
        const auto* const at = reinterpret_cast<const std::byte*>(&cell);
        ++taken_[static_cast<std::size_t>(at - room_) / sizeof(LoopCell)];
    }

    alignas(64) std::byte room_[2 * sizeof(LoopCell)];
    ReadyQueue queue_{Takers::anyone};
    std::array<int, 2> taken_{};
};

// ------------------------------------------------------------------------------------------------

/// A group of threads and loops in it. Threads serve as workers do.
class Scheduled : public Program {
  public:
    Scheduled(unsigned workers, unsigned loops)
        : runtime_(
              {.main_domain = &main_, .clock = &clock_, .pollers = &pollers_, .threads = false}),
          group_(GroupState::of(runtime_.add_group({.threads = workers}))) {
        group_.for_members([this](Worker& worker) { workers_.push_back(&worker); });
        for (unsigned i = 0; i < loops; ++i) {
            domains_.push_back(std::make_unique<locking::DomainBase>("loop", 2));
            loops_.push_back(std::make_unique<Loop>(group_.face(), *domains_.back(), "loop"));
            events_.push_back(std::make_unique<Event>([](void*, Turn&) {}, nullptr));
        }
    }

    std::string_view judge() override {
        for (const Worker* worker : workers_) {
            if (worker->backlog() != 0) return "sleeps with work queued";
        }
        if (group_.injected() != 0) return "nobody takes what was dropped";
        for (std::size_t i = 0; i < loops_.size(); ++i) {
            if (events_[i]->queued()) return "lost notification";
            if (loops_[i]->cell().read().state != LoopState::idle) return "not idle";
            const Worker* const home = loops_[i]->cell().home;
            if (home == nullptr || !home->member) return "without an owner";
        }
        return "";
    }

  protected:
    void send(std::size_t loop) { events_[loop]->send(*loops_[loop]); }

    void serve(Worker& worker) {
        while (!worker.demanded(Worker::leave)) {
            while (LoopCell* const cell = group_.pick())
                worker.push(*cell);
            while (LoopCell* const cell = worker.pop())
                run_loop(worker, *cell);
            worker.nap(Duration::infinite());
        }
        worker.hand_over();
    }

    static void run_loop(Worker& worker, LoopCell& cell) {
        if (cell.home != &worker) {
            if (cell.home != nullptr) cell.home->disown(cell);
            worker.adopt(cell);
        }
        change(cell, [&](LoopWord word) { return step_run(word, worker.index()); });
        cell.events.gather(cell.inbox);
        while (!cell.events.empty())
            cell.events.pop();
        if (worker.end_run(cell, !cell.inbox.empty())) worker.push(cell);
    }

    Runtime& runtime() { return runtime_; }

    Loop& loop(std::size_t index) { return *loops_[index]; }

    Worker& worker(std::size_t index) { return *workers_[index]; }

    GroupState& group() { return group_; }

  private:
    locking::DomainBase main_{"main", 1};
    SimClock clock_;
    KickPollers pollers_;
    Runtime runtime_;
    GroupState& group_;
    std::vector<Worker*> workers_;
    std::vector<std::unique_ptr<locking::DomainBase>> domains_;
    std::vector<std::unique_ptr<Loop>> loops_;
    std::vector<std::unique_ptr<Event>> events_;
};

/// Something is sent to a loop of a thread that goes to sleep meanwhile.
class Sends final : public Scheduled {
  public:
    Sends() : Scheduled(1, 1) {}

    unsigned threads() const override { return 2; }

    void run(unsigned thread) override {
        if (thread == 1) return send(0);
        serve(worker(0));
    }
};

/// A loop that its thread drops instead of running it, while another thread goes to sleep.
class Drops final : public Scheduled {
  public:
    Drops() : Scheduled(2, 1) { send(0); }

    unsigned threads() const override { return 2; }

    void run(unsigned thread) override {
        if (thread == 1) return serve(worker(1));
        LoopCell& cell = *worker(0).pop();
        worker(0).disown(cell);
        group().inject(cell);
    }
};

/// A thread that leaves while something is sent to its loop; the other is busy elsewhere.
class Leaves final : public Scheduled {
  public:
    Leaves() : Scheduled(2, 2) {
        group().start();
        group().set_threads(1, resize_);
    }

    unsigned threads() const override { return 2; }

    void run(unsigned thread) override {
        if (thread == 1) return send(1);
        serve(worker(1));
    }

    std::string_view judge() override {
        if (worker(1).backlog() != 0) return "queued with a thread that has left";
        return group().injected() == 1 ? "" : "not handed over";
    }

  private:
    Resize resize_;
};

/// A loop is moved to another group while it is about to run.
class Moves final : public Scheduled {
  public:
    Moves() : Scheduled(1, 1), other_(runtime().add_group({})) { send(0); }

    unsigned threads() const override { return 2; }

    void run(unsigned thread) override {
        if (thread == 1) return loop(0).move_to(other_);
        while (LoopCell* const cell = worker(0).pop()) {
            GroupState* const wanted = cell->group.load(std::memory_order_acquire);
            if (wanted == &group()) {
                run_loop(worker(0), *cell);
            } else {
                worker(0).disown(*cell);
                wanted->inject(*cell);
            }
        }
    }

    /// The loop is there, or will be when its thread looks at its queue.
    std::string_view judge() override {
        const bool moved = GroupState::of(other_).injected() != 0;
        return moved || worker(0).backlog() != 0 ? "" : "stays in its old group";
    }

  private:
    ThreadGroup& other_;
};

template <class P>
Program* make() {
    return new P;
}

template <class P>
Findings walk(const char* name, Orders orders) {
    const Findings found = explore(make<P>, orders);
    std::printf("%s: %zu states, %zu executions%s%s\n", name, found.states, found.executions,
                found.wrong.empty() ? "" : ": ", found.wrong.c_str());
    std::fflush(stdout);
    return found;
}

/// An acquire that is none: those of sequentially consistent accesses stay.
int no_acquire(Access access, int order) {
    const bool reads = access == Access::load || access == Access::failed_exchange;
    return reads && order == __ATOMIC_ACQUIRE ? __ATOMIC_RELAXED : order;
}

int weak_stores(Access access, int order) {
    return access == Access::store && order == __ATOMIC_SEQ_CST ? __ATOMIC_RELEASE : order;
}

int weak_loads(Access access, int order) {
    return access == Access::load && order == __ATOMIC_SEQ_CST ? __ATOMIC_ACQUIRE : order;
}

int weak_exchanges(Access access, int order) {
    return access == Access::exchange && order == __ATOMIC_SEQ_CST ? __ATOMIC_ACQ_REL : order;
}

}  // namespace

TEST_CASE("AT-PING-1 queues of runnable loops keep what is pushed, whatever order memory has",
          "[AT-PING-1]") {
    CHECK(walk<Pushes>("pushes", as_written).wrong == "");
    const std::string race = walk<Pushes>("pushes without acquire", no_acquire).wrong;
    CHECK(race.starts_with("a race: an atomic read and a plain write"));
}

TEST_CASE("AT-PING-1 no send is lost on a thread that goes to sleep, whatever order memory has",
          "[AT-PING-1]") {
    CHECK(walk<Sends>("sends", as_written).wrong == "");
    for (const Orders orders : {weak_stores, weak_exchanges, weak_loads})
        CHECK(walk<Sends>("sends, weaker", orders).wrong == "sleeps with work queued");
}

TEST_CASE("AT-PING-1 a loop that is dropped is taken, whatever order memory has", "[AT-PING-1]") {
    constexpr std::string_view untaken = "nobody takes what was dropped";
    CHECK(walk<Drops>("drops", as_written).wrong == "");
    CHECK(walk<Drops>("drops, weak exchanges", weak_exchanges).wrong == untaken);
    CHECK(walk<Drops>("drops, weak loads", weak_loads).wrong == untaken);
}

TEST_CASE("AT-PING-1 a loop that is moved goes to its group at once, whatever order memory has",
          "[AT-PING-1]") {
    CHECK(walk<Moves>("moves", as_written).wrong == "");
    CHECK(walk<Moves>("moves, weak stores", weak_stores).wrong == "stays in its old group");
    CHECK(walk<Moves>("moves, weak loads", weak_loads).wrong == "stays in its old group");
}

TEST_CASE("AT-PING-1 a thread that leaves hands over its loops, whatever order memory has",
          "[AT-PING-1]") {
    CHECK(walk<Leaves>("leaves", as_written).wrong == "");
}

}  // namespace tern::loops
