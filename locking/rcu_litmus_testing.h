#pragma once

/// The litmus of RCU: does a reader see what was reclaimed? A writer replaces one of two objects,
/// waits for readers and spoils the old one, while a reader looks whose stores are slow, because
/// each goes to a line of memory that no cache has: while they and the word of its section stand in
/// line, its loads go ahead. For tests, which own all of it; it starts two threads and joins them.

#include "locking/processor_testing.h"
#include "locking/rcu.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

namespace tern::locking::rcu::testing {

class Litmus {
  public:
    /// How often the reader saw a spoilt object, in so many rounds or until it saw the first.
    std::uint64_t run(std::uint64_t rounds) {
        std::thread reader([this] { read(); });
        reading_.wait(false);
        std::thread writer([this, rounds] { write(rounds); });
        writer.join();
        stop_.store(true);
        reader.join();
        return hits_.load();
    }

  private:
    static constexpr std::uint64_t alive = 0x600dcafe600dcafe;
    static constexpr std::uint64_t dead = 0xdeaddeaddeaddead;
    static constexpr std::size_t lines = std::size_t{1} << 20;
    static constexpr std::size_t line_words = 16;

    void read() {
        locking::testing::stay_on_processor(1);  // with one alone there is nothing to see
        std::vector<std::atomic<int>> memory(lines * line_words);
        std::mt19937 random(1);
        reading_.store(true);
        reading_.notify_all();
        while (!stop_.load(std::memory_order_relaxed)) {
            for (int i = 0; i < 30; ++i)
                memory[random() % lines * line_words].store(1, std::memory_order_relaxed);
            ReadSection section;
            const std::atomic<std::uint64_t>* object = current_.load(std::memory_order_acquire);
            for (int i = 0; i < 100; ++i) {
                if (object->load(std::memory_order_relaxed) == dead) hits_.fetch_add(1);
            }
        }
    }

    void write(std::uint64_t rounds) {
        locking::testing::stay_on_processor(0);
        for (std::uint64_t round = 0; round < rounds; ++round) {
            if (hits_.load(std::memory_order_relaxed) != 0) return;
            replace();
        }
    }

    void replace() {
        std::atomic<std::uint64_t>* old = current_.load();
        std::atomic<std::uint64_t>* fresh = old == &objects_[0] ? &objects_[1] : &objects_[0];
        fresh->store(alive, std::memory_order_relaxed);
        current_.store(fresh, std::memory_order_release);
        const Ticket ticket = begin();
        // Others may have a use for the processor.
        while (!done(ticket))
            std::this_thread::yield();
        old->store(dead, std::memory_order_relaxed);
    }

    std::array<std::atomic<std::uint64_t>, 2> objects_{alive, alive};
    std::atomic<std::atomic<std::uint64_t>*> current_{&objects_[0]};
    std::atomic<std::uint64_t> hits_{0};
    std::atomic<bool> reading_{false};
    std::atomic<bool> stop_{false};
};

}  // namespace tern::locking::rcu::testing
