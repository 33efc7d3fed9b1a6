// A holder that the system has stopped: whoever waits for its domain is told who, where and since
// when; and nothing is lost when it goes on. The tester stops it from another process.

#include "locking/domain.h"
#include "locking/lock_report.h"
#include "stress/locking/levels.h"

#include <array>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include <catch2/catch.hpp>
#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tern::stress {
namespace {

using locking::Domain;
using locking::Guard;

// Where the child speaks to the tester; the handler of long waits has no other context.
int report_end = -1;

void send(std::string_view text) noexcept {
    if (::write(report_end, text.data(), text.size()) < 0) std::abort();
}

void tell_tester(std::string_view report) noexcept {
    send(report);
    send("\n");
}

/// The child: one thread takes the domain and says its number; when the tester says so, the main
/// thread wants the domain, too; when the holder may, it leaves.
int hold_and_wait(int commands) {
    locking::report_long_waits(std::chrono::milliseconds(20), tell_tester);
    Domain<Step<3>> domain("stopped");
    std::atomic<std::uint32_t> holder_id{0};
    std::atomic<bool> leave{false};
    std::thread holder([&] {
        ::pthread_setname_np(::pthread_self(), "sleepy");
        Guard<Step<3>> guard = domain.lock_dynamic();
        holder_id.store(locking::platform::thread_id());
        holder_id.notify_all();
        leave.wait(false);
    });
    holder_id.wait(0);
    send(std::to_string(holder_id.load()) + "\n");
    char command = 0;
    if (::read(commands, &command, 1) != 1) return 1;
    leave.store(true);
    leave.notify_all();
    {
        Guard<Step<3>> guard = domain.lock_dynamic();
        send("got it\n");
    }
    holder.join();
    return 0;
}

class Tester {
  public:
    Tester() {
        std::array<int, 2> down{};
        std::array<int, 2> up{};
        if (::pipe(down.data()) != 0 || ::pipe(up.data()) != 0) std::abort();
        child_ = ::fork();
        if (child_ == 0) {
            report_end = up[1];
            ::_exit(hold_and_wait(down[0]));
        }
        ::close(down[0]);
        ::close(up[1]);
        commands_ = down[1];
        reports_ = up[0];
    }

    ~Tester() {
        ::close(commands_);
        ::close(reports_);
    }

    std::string line() {
        std::string text;
        for (char byte = 0; ::read(reports_, &byte, 1) == 1 && byte != '\n';)
            text += byte;
        return text;
    }

    void say_go() {
        if (::write(commands_, "g", 1) != 1) std::abort();
    }

    pid_t child() const { return child_; }

    int exit_status() {
        int status = -1;
        ::waitpid(child_, &status, 0);
        return status;
    }

  private:
    pid_t child_ = -1;
    int commands_ = -1;
    int reports_ = -1;
};

TEST_CASE("AT-LOCK-8 a stopped holder is named to who waits for it", "[AT-LOCK-8]") {
    Tester tester;
    const std::string holder = tester.line();
    const pid_t thread = std::stoi(holder);
    if (::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0 ||
        ::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) != 0) {
        std::puts("SKIPPED: threads may not be stopped here");
        ::kill(tester.child(), SIGKILL);
        tester.exit_status();
        return;
    }
    int status = 0;
    ::waitpid(thread, &status, __WALL);
    tester.say_go();
    // The holder may leave but cannot: the waiter complains, again and again.
    for (int i = 0; i < 2; ++i) {
        const std::string report = tester.line();
        INFO(report);
        CHECK(report.find(" ms for domain stopped (rank 400) at ") != std::string::npos);
        CHECK(report.find("stopped_holder_test.cc:") != std::string::npos);
        CHECK(report.find("held by thread " + holder + " (sleepy), taken at ") !=
              std::string::npos);
        CHECK(report.find("the same all that time") != std::string::npos);
    }
    REQUIRE(::ptrace(PTRACE_DETACH, thread, nullptr, nullptr) == 0);
    std::string last;
    for (int i = 0; i < 50 && last != "got it"; ++i)
        last = tester.line();
    CHECK(last == "got it");
    CHECK(tester.exit_status() == 0);
}

TEST_CASE("AT-LOCK-8 a process stopped as a whole goes on as if nothing had been", "[AT-LOCK-8]") {
    Tester tester;
    (void)tester.line();
    ::kill(tester.child(), SIGSTOP);
    int status = 0;
    ::waitpid(tester.child(), &status, WUNTRACED);
    REQUIRE(WIFSTOPPED(status));
    tester.say_go();
    ::kill(tester.child(), SIGCONT);
    std::string last;
    for (int i = 0; i < 50 && last != "got it"; ++i)
        last = tester.line();
    CHECK(last == "got it");
    CHECK(tester.exit_status() == 0);
}

}  // namespace
}  // namespace tern::stress
