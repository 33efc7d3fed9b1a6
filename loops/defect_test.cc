// Defects of other runtimes that must not come back: each check is shown to fail with a small twin
// that has the defect, then to hold for ours.
#include "locking/death_test.h"
#include "loops/credits.h"
#include "loops/journal.h"
#include "loops/mailbox.h"
#include "loops/pace.h"
#include "loops/poller_epoll.h"
#include "loops/session.h"
#include "loops/test_support.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tern::loops {

using test::Action;
using test::Control;
using test::ForwardingPoller;
using test::Sim;
using test::TestLoop;

namespace {

// ---- Is the queue empty? A question must not run it; a limit must be one. ----

/// Runs up to `limit` items; "empty" asks by running none, and none wraps round to all.
class WrappingQueue {
  public:
    explicit WrappingQueue(int items) : left_(items) {}

    int run(unsigned limit) {
        int ran = 0;
        while (left_ > 0) {
            --left_;
            ++ran;
            if (--limit == 0) break;
        }
        return ran;
    }

    bool empty() { return run(0) == 0; }

  private:
    int left_;
};

/// Ours: events in a loop whose slice is one handler long.
class LoopQueue {
  public:
    explicit LoopQueue(int items) : loop_(*sim_.group, "queue") {
        for (int i = 0; i < items; ++i) {
            events_.emplace_back([](void* count, Turn&) { ++*static_cast<int*>(count); }, &ran_)
                .send(loop_.loop);
        }
    }

    ~LoopQueue() {
        const LoopEntry entry(loop_.loop);
        for (Event& event : events_)
            event.cancel();
    }

    int run(int limit) {
        const int before = ran_;
        while (ran_ < before + limit && sim_.sim.step()) {
            // A step runs at least one handler and at most 32.
        }
        return ran_ - before;
    }

    bool empty() const {
        return std::none_of(events_.begin(), events_.end(),
                            [](const Event& event) { return event.queued(); });
    }

  private:
    Sim sim_;
    TestLoop loop_;
    std::deque<Event> events_;
    int ran_ = 0;
};

template <class Queue>
bool asking_runs_nothing(Queue&& queue) {
    if (queue.run(9) < 9) return false;
    if (queue.empty()) return false;
    return queue.run(1) > 0;
}

// ---- Two marks: released at the low one only. ----

/// Compares with the low mark in both directions.
class OneMark {
  public:
    OneMark(std::uint64_t low, std::uint64_t) : low_(low) {}

    bool take(std::uint64_t count, Loop&, Event&) {
        if (outstanding_ >= low_) return false;
        outstanding_ += count;
        return true;
    }

    void give(std::uint64_t count) { outstanding_ -= count; }

  private:
    std::uint64_t low_;
    std::uint64_t outstanding_ = 0;
};

/// Takes up to the high mark, and nothing between the marks on the way down.
template <class Marks>
bool corks_and_releases(Marks& marks, Loop& loop, Event& retry) {
    for (int i = 0; i < 30; ++i) {
        if (!marks.take(1, loop, retry)) return false;
    }
    if (marks.take(1, loop, retry)) return false;
    for (int i = 0; i < 20; ++i) {
        if (marks.take(1, loop, retry)) return false;
        marks.give(1);
    }
    return marks.take(1, loop, retry);
}

template <class Marks>
bool has_two_marks() {
    Sim sim;
    Event retry([](void*, Turn&) {}, nullptr);
    Marks marks(10, 30);
    const bool result = corks_and_releases(marks, sim.main(), retry);
    sim.sim.settle();
    return result;
}

// ---- A journal that copies more than the item. ----

struct Item {
    std::uint64_t words[5];  ///< 40 bytes, which an aligned size would make 48
};

/// Puts an item at the very end of a page that nothing readable follows, and lets `copy` have it,
/// in a child process. Whether that went well.
template <class F>
bool copies_no_more_than_the_item(F&& copy) {
    const pid_t child = ::fork();
    if (child == 0) {
        const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
        void* const map =
            ::mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        char* const end = static_cast<char*>(map) + page;
        ::mprotect(end, page, PROT_NONE);
        ::signal(SIGSEGV, [](int) { ::_exit(1); });
        copy(*reinterpret_cast<const Item*>(end - sizeof(Item)));
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

__attribute__((noinline)) void copy_bytes(char* to, const volatile char* from, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i)
        to[i] = from[i];
}

// ---- A session that ends before its operations. ----

/// Frees itself when the peer goes, whoever still works for it.
class HastySession {
  public:
    HastySession(Loop& home, Event& freed) : home_(home), freed_(freed) {}

    struct Operation {
        void end() {}
    };

    Operation begin() { return {}; }

    void peer_closed() { freed_.send(home_); }

  private:
    Loop& home_;
    Event& freed_;
};

template <class S>
bool outlived_by_its_session() {
    Sim sim;
    bool freed = false;
    Action action{[&](Turn&) { freed = true; }};
    Event event(action.callback());
    S session(sim.main(), event);
    auto operation = session.begin();
    session.peer_closed();
    sim.sim.settle();
    const bool too_early = freed;
    operation.end();
    sim.sim.settle();
    return !too_early && freed;
}

// ---- A token that is touched after its session has gone. ----

/// Forgets the session after letting it go.
class LateOperation {
  public:
    explicit LateOperation(Session::Operation operation)
        : operation_(std::move(operation)), ended_(false) {}

    void end() {
        operation_.end();
        std::atomic_ref(ended_).store(true);
    }

  private:
    Session::Operation operation_;
    bool ended_;
};

/// A thread's poller whose kick returns only when the thread has done what it was woken for: the
/// worst moment for whoever goes on after a wake-up.
class SlowKick final : public ForwardingPoller {
  public:
    SlowKick(std::unique_ptr<Poller> real, std::atomic<bool>& waits, std::atomic<bool>& served)
        : ForwardingPoller(std::move(real)), waits_(waits), served_(served) {}

    std::size_t wait(std::span<Report> reports, Duration timeout) override {
        if (timeout > Duration()) waits_ = true;
        return ForwardingPoller::wait(reports, timeout);
    }

    void kick() override {
        ForwardingPoller::kick();
        served_.wait(false);
    }

  private:
    std::atomic<bool>& waits_;
    std::atomic<bool>& served_;
};

struct SlowKicks final : PollerFactory {
    std::unique_ptr<Poller> make(PollerUse use) override {
        return std::make_unique<SlowKick>(epoll.make(use), waits, served);
    }

    EpollFactory epoll;
    std::atomic<bool> waits{false};
    std::atomic<bool> served{false};
};

/// Another thread ends the last operation; the session goes, and the token in it, before end() has
/// returned. Whether the memory stays as the owner left it.
template <class Token>
bool token_is_left_alone() {
    SlowKicks kicks;
    locking::Domain<Control> domain;
    Runtime runtime({.main_domain = &domain, .pollers = &kicks});
    std::array<unsigned char, sizeof(Token)> gone;
    gone.fill(0xdd);
    alignas(Token) std::array<unsigned char, sizeof(Token)> memory;
    Token* token = nullptr;
    Action freed{[&](Turn&) {
        token->~Token();
        memory = gone;
        kicks.served = true;
        kicks.served.notify_all();
    }};
    Event event(freed.callback());
    Session session(runtime.main_loop(), event);
    token = new (memory.data()) Token(session.begin());
    session.peer_closed();
    std::thread ender([&] {
        while (!kicks.waits)
            std::this_thread::yield();
        token->end();
        runtime.quit();
    });
    runtime.run();
    ender.join();
    return memory == gone;
}

// ---- Slices of a fraction of a millisecond need a clock that moves more often. ----

/// The clock of the kernel's ticks.
class CoarseClock final : public Clock {
  public:
    Instant now() const override {
        const std::int64_t us = real_.now().microseconds();
        return Instant::from_microseconds(us - us % 4000);
    }

    WallTime wall_now() const override { return real_.wall_now(); }

  private:
    SteadyClock real_;
};

/// The smallest step in which time goes on for the handlers of a run.
Duration step_of(const Clock& clock, bool machine_clock) {
    Pace pace(clock, machine_clock);
    Duration least = Duration::infinite();
    for (int steps = 0; steps < 5;) {
        const Instant before = pace.now();
        pace.look();
        if (pace.now() == before) continue;
        least = std::min(least, pace.now() - before);
        ++steps;
    }
    return least;
}

// ---- The text of the sources. ----

std::string text_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

/// Of the sources.
std::filesystem::path root() {
    std::filesystem::path path = std::filesystem::current_path();
    while (!std::filesystem::exists(path / "loops/thread_group.h") && path.has_relative_path())
        path = path.parent_path();
    return path;
}

/// What a library does, in one piece.
std::string code_of(const char* folder) {
    std::string code;
    for (const auto& entry : std::filesystem::directory_iterator(root() / folder)) {
        const std::string name = entry.path().filename();
        if (name.ends_with(".cc") && !name.ends_with("_test.cc")) code += text_of(entry.path());
    }
    return code;
}

bool in_name(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// The names of what a value of the struct has. One field is one line.
std::vector<std::string> fields_of(std::string_view header, const std::string& type) {
    std::vector<std::string> fields;
    std::istringstream lines{std::string(header.substr(header.find("struct " + type + " {")))};
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line) && !line.starts_with("};")) {
        line.erase(std::min(line.find("//"), line.size()));
        if (line.find(';') == std::string::npos || line.find("static ") != std::string::npos ||
            line.find("friend ") != std::string::npos)
            continue;
        line.erase(line.find_first_of("={;"));
        if (line.find('(') != std::string::npos) continue;
        while (!in_name(line.back()))
            line.pop_back();
        std::size_t begin = line.size();
        while (in_name(line[begin - 1]))
            --begin;
        fields.push_back(line.substr(begin));
    }
    return fields;
}

/// Whether the code reads that option of some options.
bool used(std::string_view code, const std::string& option) {
    for (const char* whose : {"options.", "options_.", "options().", "limits.", "limits().",
                              "given.", "config.", "config_."}) {
        const std::string name = whose + option;
        for (std::size_t at = code.find(name); at != std::string_view::npos;
             at = code.find(name, at + 1)) {
            const std::size_t end = at + name.size();
            if (end == code.size() || !in_name(code[end])) return true;
        }
    }
    return false;
}

void check_used(const std::string& header, const std::string& type, const std::string& code) {
    const std::vector<std::string> fields = fields_of(header, type);
    CHECK(fields.size() > 3);
    for (const std::string& field : fields) {
        INFO(type << " " << field);
        CHECK(used(code, field));
    }
}

}  // namespace

TEST_CASE("asking whether a queue is empty runs nothing of it") {
    CHECK(asking_runs_nothing(LoopQueue(100)));
    CHECK_FALSE(asking_runs_nothing(WrappingQueue(100)));
}

TEST_CASE("credits have two marks, not one") {
    CHECK(has_two_marks<Credits>());
    CHECK_FALSE(has_two_marks<OneMark>());
}

TEST_CASE("a journal reads no byte behind the item it is given") {
    CHECK(copies_no_more_than_the_item([](const Item& item) {
        locking::Domain<Control> domain;
        const auto guard = domain.lock_dynamic();
        Journal<Item, 4> journal(domain, 100);
        journal.push(item);
    }));
    CHECK_FALSE(copies_no_more_than_the_item([](const Item& item) {
        char aligned[48];
        copy_bytes(aligned, reinterpret_cast<const char*>(&item), sizeof aligned);
    }));
}

TEST_CASE("AT-CLI-1 a session outlives its operations", "[AT-CLI-1]") {
    CHECK(outlived_by_its_session<Session>());
    CHECK_FALSE(outlived_by_its_session<HastySession>());
}

TEST_CASE("AT-CLI-1 a token is not touched once it has let its session go", "[AT-CLI-1]") {
    CHECK(token_is_left_alone<Session::Operation>());
    CHECK_FALSE(token_is_left_alone<LateOperation>());
}

TEST_CASE("time goes on in steps much smaller than a slice") {
    const Duration tenth = GroupLimits().min_slice / 10;
    CHECK(step_of(SteadyClock(), true) <= tenth);
    CHECK(step_of(SteadyClock(), false) <= tenth);
    CHECK_FALSE(step_of(CoarseClock(), false) <= tenth);
}

TEST_CASE("a loop that is sent to another group stays entered until its guard has gone") {
    Sim sim;
    ThreadGroup& other = sim.sim.runtime().add_group({.name = "other"});
    TestLoop loop(*sim.group, "l");
    {
        const LoopEntry entry(loop.loop);
        loop.loop.move_to(other);
        CHECK(&loop.loop.group() == &other);
        CHECK(loop.domain.held_by_this_thread());
    }
    CHECK_FALSE(loop.domain.held_by_this_thread());
    int runs = 0;
    Action there{[&](Turn& turn) {
        turn.loop().move_to(runs++ == 0 ? *sim.group : other);
        CHECK(loop.domain.held_by_this_thread());
    }};
    Event first(there.callback());
    Event second(there.callback());
    first.send(loop.loop);
    second.send(loop.loop);
    CHECK(sim.sim.settle());
    CHECK(runs == 2);
    CHECK(&loop.loop.group() == &other);
    // A transfer that leaves it, while its caller leaves it too, aborts.
    CHECK(locking::death_of([&] {
              const LoopEntry entry(loop.loop);
              loop.loop.domain().unlock_erased(locking::Here::now());
          }).aborted);
}

TEST_CASE("every option of a group, of a runtime and of a page cache is used by the code") {
    const std::string code = code_of("loops") + text_of(root() / "loops/group_state.h");
    for (const char* type : {"GroupOptions", "GroupLimits"})
        check_used(text_of(root() / "loops/thread_group.h"), type, code);
    check_used(text_of(root() / "loops/runtime.h"), "RuntimeOptions", code);
    check_used(text_of(root() / "alloc/page_cache.h"), "PageCacheConfig", code_of("alloc"));
}

TEST_CASE("the fields of a struct are found in its text, and one that nobody uses is noticed") {
    constexpr std::string_view text = R"(
struct Options {
    /// Why; it has a comment.
    std::string name = "worker";  ///< with a name
    Limits limits = {};
    static constexpr int most = 7;
    std::optional<int> spin;
    std::size_t pages{4};
    bool good() const;
    friend bool operator==(const Options&, const Options&) = default;
};
int other = 0;
)";
    CHECK(fields_of(text, "Options") ==
          std::vector<std::string>{"name", "limits", "spin", "pages"});
    CHECK(used("options_.name", "name"));
    CHECK_FALSE(used("options_.name_of_it name names.name", "name"));
}

TEST_CASE("no loop waits by sleeping for a while and looking again") {
    for (const auto& entry : std::filesystem::directory_iterator(root() / "loops")) {
        const std::string name = entry.path().filename();
        if (name.ends_with("_test.cc") || entry.path().extension() != ".cc") continue;
        INFO(name);
        const std::string text = text_of(entry.path());
        for (const char* word : {"sleep"
                                 "_for",
                                 "nano"
                                 "sleep(",
                                 "u"
                                 "sleep("})
            CHECK(text.find(word) == std::string::npos);
    }
}

}  // namespace tern::loops
