#include "locking/futex_mutex.h"

#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

thread_local int yields_of_thread = 0;

}  // namespace

// Stands in for the one of the C library.
extern "C" int sched_yield() noexcept {
    ++yields_of_thread;
    return static_cast<int>(syscall(SYS_sched_yield));
}

namespace tern::locking {
namespace {

/// Counts how often its thread goes to sleep; with a limit it polls, as the defect would.
class CountingSleeper {
  public:
    explicit CountingSleeper(std::uint64_t limit_ns = platform::no_limit) : limit_ns_(limit_ns) {}

    void sleep(std::atomic<std::uint32_t>& word, std::uint32_t seen, std::uint32_t channels) {
        sleeps_.fetch_add(1);
        sleeps_.notify_all();
        platform::sleep_on(word, seen, channels, limit_ns_);
    }

    std::uint64_t waited_ns() const { return waited_ns_.load(); }

    void pretend_to_have_waited(std::uint64_t ns) { waited_ns_.store(ns); }

    int sleeps() const { return sleeps_.load(); }

    void await_sleeps(int count) const {
        for (int seen = sleeps_.load(); seen < count; seen = sleeps_.load())
            sleeps_.wait(seen);
    }

  private:
    std::uint64_t limit_ns_;
    std::atomic<int> sleeps_{0};
    std::atomic<std::uint64_t> waited_ns_{0};
};

// Clang cannot follow a mutex through the macros of the tests.
bool try_take(FutexMutex& mutex) TERN_NO_THREAD_SAFETY_ANALYSIS {
    return mutex.try_lock();
}

void give(FutexMutex& mutex) TERN_NO_THREAD_SAFETY_ANALYSIS {
    mutex.unlock();
}

void wait_for(FutexMutex& mutex, CountingSleeper& sleeper) TERN_NO_THREAD_SAFETY_ANALYSIS {
    mutex.lock_contended(sleeper);
}

TEST_CASE("a bare mutex excludes") {
    FutexMutex mutex;
    CHECK(try_take(mutex));
    CHECK_FALSE(try_take(mutex));
    give(mutex);
    std::uint64_t counter = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < 20000; ++n) {
                mutex.lock();
                ++counter;
                mutex.unlock();
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    CHECK(counter == 80000);
}

// A universal wait of 100 us, often under a lock, is a known defect of such libraries.
TEST_CASE("AT-LOCK-5 a waiter sleeps until it is woken and does not poll", "[AT-LOCK-5]") {
    FutexMutex mutex;
    mutex.lock();
    CountingSleeper sleeper;
    std::thread waiter([&] {
        mutex.lock_contended(sleeper);
        mutex.unlock();
    });
    sleeper.await_sleeps(1);
    for (int i = 0; i < 2000; ++i)
        std::this_thread::yield();
    CHECK(sleeper.sleeps() == 1);
    mutex.unlock();
    waiter.join();
}

TEST_CASE("AT-LOCK-5 a waiter that polls is seen", "[AT-LOCK-5]") {
    FutexMutex mutex;
    mutex.lock();
    CountingSleeper sleeper(100'000);
    std::thread waiter([&] {
        mutex.lock_contended(sleeper);
        mutex.unlock();
    });
    sleeper.await_sleeps(3);
    mutex.unlock();
    waiter.join();
    CHECK(sleeper.sleeps() >= 3);
}

/// How often its thread had let others run when it went to sleep.
class YieldSleeper : public PlainSleeper {
  public:
    void sleep(std::atomic<std::uint32_t>& word, std::uint32_t seen, std::uint32_t channels) {
        yields.store(yields_of_thread);
        yields.notify_one();
        PlainSleeper::sleep(word, seen, channels);
    }

    std::atomic<int> yields{-1};
};

// Whether another thread gets the core then is the kernel's affair.
TEST_CASE("a waiter lets others have its core once before it sleeps") {
    FutexMutex mutex;
    mutex.lock();
    YieldSleeper sleeper;
    std::thread waiter([&] {
        mutex.lock_contended(sleeper);
        mutex.unlock();
    });
    sleeper.yields.wait(-1);
    CHECK(sleeper.yields.load() == 1);
    mutex.unlock();
    waiter.join();
}

TEST_CASE("who has waited long gets the lock before newcomers") {
    FutexMutex mutex;
    REQUIRE(try_take(mutex));
    CountingSleeper sleeper;
    sleeper.pretend_to_have_waited(FutexMutex::patience_ns + 1);
    std::atomic<bool> inside{false};
    std::atomic<bool> leave{false};
    std::thread waiter([&] {
        wait_for(mutex, sleeper);
        inside.store(true);
        leave.wait(false);
        give(mutex);
    });
    // It sleeps as one of many, is woken, finds the lock taken, and then asks for it.
    sleeper.await_sleeps(1);
    give(mutex);
    bool overtaken = try_take(mutex);
    if (overtaken) {
        sleeper.await_sleeps(2);
        give(mutex);
        // The word is free, yet kept back.
        CHECK_FALSE(try_take(mutex));
    }
    while (!inside.load())
        CHECK_FALSE(try_take(mutex));
    leave.store(true);
    leave.notify_all();
    waiter.join();
    CHECK(try_take(mutex));
    give(mutex);
}

}  // namespace
}  // namespace tern::locking
