#pragma once

/// What the tests of this folder share: lock levels, a simulated runtime with one group, and a real
/// one that runs in the test's thread until told to quit. Included by tests only; each test owns
/// what it makes.

#include "locking/domain.h"
#include "loops/loop.h"
#include "loops/poller.h"
#include "loops/runtime.h"
#include "loops/sim_runtime.h"

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <dirent.h>

namespace tern::loops::test {

struct Control {
    static constexpr locking::LockRank rank = 100;
    static constexpr std::string_view name = "control";
};

struct Protocol {
    static constexpr locking::LockRank rank = 200;
    static constexpr std::string_view name = "protocol";
};

struct Table {
    static constexpr locking::LockRank rank = 400;
    static constexpr std::string_view name = "table";
};

/// A handler made of a lambda; events, timers and the like take `function, &thing`.
struct Action {
    std::function<void(Turn&)> body;

    static void call(void* context, Turn& turn) { static_cast<Action*>(context)->body(turn); }

    Callback callback() { return {call, this}; }
};

struct Sim {
    explicit Sim(std::uint64_t seed = 1, unsigned threads = 2) : sim(main_domain, seed) {
        GroupOptions options;
        options.threads = threads;
        group = &sim.runtime().add_group(options);
    }

    Loop& main() { return sim.runtime().main_loop(); }

    locking::Domain<Control> main_domain{"main"};
    SimRuntime sim;
    ThreadGroup* group = nullptr;
};

struct TestLoop {
    TestLoop(ThreadGroup& group, std::string_view name) : domain(name), loop(group, domain, name) {}

    locking::Domain<Protocol> domain;
    Loop loop;
};

/// A poller that hands everything on; a test overrides what it wants to see or delay.
class ForwardingPoller : public Poller {
  public:
    explicit ForwardingPoller(std::unique_ptr<Poller> real) : real_(std::move(real)) {}

    int add(int fd, Interest interest, Token token) override {
        return real_->add(fd, interest, token);
    }

    int change(int fd, Interest interest, Token token) override {
        return real_->change(fd, interest, token);
    }

    void remove(int fd) override { real_->remove(fd); }

    std::size_t wait(std::span<Report> reports, Duration timeout) override {
        return real_->wait(reports, timeout);
    }

    void kick() override { real_->kick(); }

    int descriptor() const override { return real_->descriptor(); }

  private:
    std::unique_ptr<Poller> real_;
};

/// A runtime with real threads; `body` runs in the main loop and something in it calls quit().
struct Real {
    explicit Real(unsigned threads) : Real(GroupOptions{.threads = threads}) {}

    explicit Real(const GroupOptions& options)
        : runtime(RuntimeOptions{.main_domain = &main_domain}), group(runtime.add_group(options)) {}

    void run(std::function<void(Turn&)> body) {
        Action action{std::move(body)};
        Event first(action.callback());
        first.send(runtime.main_loop());
        runtime.run();
    }

    locking::Domain<Control> main_domain{"main"};
    Runtime runtime;
    ThreadGroup& group;
};

/// Stops all loops and quits when the last has stopped.
struct Stopper {
    explicit Stopper(Runtime& runtime_) : runtime(runtime_) {}

    void add(Loop& loop) {
        ++left;
        loops.push_back(&loop);
    }

    void go() {
        if (left == 0) runtime.quit();
        for (Loop* loop : loops) {
            events.push_back(std::make_unique<Event>(
                [](void* self, Turn&) {
                    auto& stopper = *static_cast<Stopper*>(self);
                    if (--stopper.left == 0) stopper.runtime.quit();
                },
                this));
            loop->stop(runtime.main_loop(), *events.back());
        }
    }

    Runtime& runtime;
    std::size_t left = 0;
    std::vector<Loop*> loops;
    std::vector<std::unique_ptr<Event>> events;
};

inline std::size_t entries(const char* path) {
    std::size_t count = 0;
    DIR* const directory = ::opendir(path);
    while (const dirent* entry = ::readdir(directory))
        count += entry->d_name[0] != '.';
    ::closedir(directory);
    return count;
}

/// Of this process.
inline std::size_t system_threads() {
    return entries("/proc/self/task");
}

/// Of this process, and one to look at them.
inline std::size_t open_descriptors() {
    return entries("/proc/self/fd");
}

}  // namespace tern::loops::test
