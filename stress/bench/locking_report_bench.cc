// What it costs to say who holds and who waits, with many domains about.

#include "locking/domain.h"
#include "locking/lock_report.h"
#include "stress/bench/locking_rows.h"
#include "stress/bench/measure.h"

#include <array>
#include <atomic>
#include <deque>
#include <thread>
#include <vector>

namespace tern::bench {
namespace {

/// Ten thousand domains, of which eight threads hold forty each.
Sample report_of_many() {
    constexpr std::size_t domain_count = 10'000;
    constexpr std::size_t thread_count = 8;
    constexpr std::size_t held_each = 40;
    constexpr int reports = 20;
    std::deque<locking::DomainBase> domains;
    for (std::size_t i = 0; i < domain_count; ++i)
        domains.emplace_back("one of many", static_cast<locking::LockRank>(1 + i % 5000));
    std::atomic<std::size_t> ready{0};
    std::atomic<bool> leave{false};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < thread_count; ++i) {
        threads.emplace_back([&, i] {
            for (std::size_t n = 0; n < held_each; ++n)
                domains[i * held_each + n].lock_erased();
            ready.fetch_add(1);
            leave.wait(false);
            for (std::size_t n = held_each; n > 0; --n)
                domains[i * held_each + n - 1].unlock_erased();
        });
    }
    while (ready.load() < thread_count)
        std::this_thread::yield();
    std::vector<char> room(std::size_t{1} << 16);
    std::size_t length = 0;
    const double took = time_ns([&] {
        for (int i = 0; i < reports; ++i)
            length += locking::report_locks(room).size();
    });
    leave.store(true);
    leave.notify_all();
    for (std::thread& thread : threads)
        thread.join();
    keep(length);
    return took / reports / 1000;
}

}  // namespace

void add_report_rows(Suite& suite) {
    suite
        .add({.id = "L8",
              .group = "checks",
              .text = "report of who holds what: 10,000 domains, 320 held by 8 threads",
              .unit = "us",
              .target = {.value = 1000}})
        .add("tern", report_of_many);
}

}  // namespace tern::bench
