#include "locking/lock_report.h"

#include "locking/domain.h"
#include "locking/rcu.h"
#include "locking/shared_domain.h"
#include "locking/test_levels.h"

#include <csignal>
#include <string>
#include <thread>

#include <catch2/catch.hpp>
#include <pthread.h>

namespace tern::locking {
namespace {

using testing::Inner;
using testing::Middle;
using testing::Outer;

std::string report() {
    char room[8192];
    return std::string(report_locks(room));
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST_CASE("AT-LOCK-4 the report says who holds what and who waits for whom", "[AT-LOCK-4]") {
    Domain<Outer> outer("tables");
    Domain<Inner> inner("attributes");
    Guard<Outer> first = outer.lock_dynamic();
    Guard<Inner> second = inner.lock_dynamic();
    const int taken = __builtin_LINE() - 1;
    std::thread waiter([&] {
        ::pthread_setname_np(::pthread_self(), "waiter");
        outer.lock_erased();
        outer.unlock_erased();
    });
    std::string text;
    while (!contains(text, "waits for tables"))
        text = report();
    CHECK(contains(text, "(waiter)"));
    CHECK(contains(text, "  holds tables (rank 100), taken at "));
    CHECK(contains(text, "  holds attributes (rank 300), taken at "));
    CHECK(contains(text, "lock_report_test.cc:" + std::to_string(taken) + "\n"));
    CHECK(contains(text, "  waits for tables (rank 100) since "));
    CHECK(contains(text, "held by thread " + std::to_string(platform::thread_id())));
    {
        ReleaseScope<Inner> inner_released(second);
        ReleaseScope<Outer> outer_released(first);
        waiter.join();
    }
    text = report();
    CHECK_FALSE(contains(text, "waits for"));
    CHECK_FALSE(contains(text, "(waiter)"));
}

TEST_CASE("readers of a shared domain are reported as such") {
    SharedDomain<Middle> domain("routes");
    ReadGuard<Middle> guard = domain.read_dynamic();
    CHECK(contains(report(), "  holds routes (rank 200) for reading, taken at "));
    CHECK(contains(std::string(HolderText(domain).text()), " for reading, taken at "));
}

TEST_CASE("a read section is reported") {
    CHECK_FALSE(contains(report(), "in a read section"));
    rcu::ReadSection section;
    CHECK(contains(report(), "in a read section"));
}

TEST_CASE("a report that does not fit is cut") {
    Domain<Outer> domain("a domain of some name");
    Guard<Outer> guard = domain.lock_dynamic();
    char room[40];
    room[39] = '#';
    CHECK(report_locks(std::span(room, 39)).size() == 39);
    CHECK(room[39] == '#');
}

char signal_room[4096];
std::size_t signal_length = 0;

void report_on_signal(int) {
    signal_length = report_locks(signal_room).size();
}

TEST_CASE("AT-LOCK-4 a signal handler can report, whatever it interrupts", "[AT-LOCK-4]") {
    Domain<Outer> domain("interrupted");
    Guard<Outer> guard = domain.lock_dynamic();
    const auto previous = ::signal(SIGUSR1, report_on_signal);
    ::raise(SIGUSR1);
    ::signal(SIGUSR1, previous);
    CHECK(contains(std::string(signal_room, signal_length), "holds interrupted (rank 100)"));
}

// What the handler below was told; it gets no context of its own.
std::atomic<int> told{0};
char told_text[1024];
std::size_t told_length = 0;

void remember(std::string_view text) noexcept {
    if (told.load() == 0) told_length = text.copy(told_text, sizeof(told_text));
    told.fetch_add(1);
    told.notify_all();
}

TEST_CASE("AT-LOCK-4 a long wait is told with the holder and both places", "[AT-LOCK-4]") {
    told.store(0);
    report_long_waits(std::chrono::milliseconds(1), remember);
    Domain<Outer> domain("slow");
    std::thread waiter;
    {
        Guard<Outer> guard = domain.lock_dynamic();
        waiter = std::thread([&] {
            ::pthread_setname_np(::pthread_self(), "patient");
            Guard<Outer> mine = domain.lock_dynamic();
        });
        for (int seen = told.load(); seen < 3; seen = told.load())
            told.wait(seen);
    }
    waiter.join();
    report_long_waits({}, nullptr);
    const std::string text(told_text, told_length);
    CHECK(contains(text, "(patient) has waited "));
    CHECK(contains(text, " ms for domain slow (rank 100) at "));
    CHECK(contains(text, "held by thread " + std::to_string(platform::thread_id())));
    CHECK(contains(text, "the same all that time"));
}

TEST_CASE("AT-LOCK-4 waits of readers and writers are told as well", "[AT-LOCK-4]") {
    SharedDomain<Middle> domain("slow table");
    for (const bool writer : {false, true}) {
        told.store(0);
        report_long_waits(std::chrono::milliseconds(1), remember);
        std::thread waiter;
        {
            WriteGuard<Middle> guard = domain.write_dynamic();
            waiter = std::thread([&] {
                if (writer) {
                    WriteGuard<Middle> mine = domain.write_dynamic();
                } else {
                    ReadGuard<Middle> mine = domain.read_dynamic();
                }
            });
            told.wait(0);
        }
        waiter.join();
        report_long_waits({}, nullptr);
        CHECK(contains(std::string(told_text, told_length), "for domain slow table (rank 200)"));
        CHECK(domain.stats().contended_writes + domain.stats().contended_reads > 0);
    }
}

}  // namespace
}  // namespace tern::locking
