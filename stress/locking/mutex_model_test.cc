// The bare mutex as a model: three threads, each access to its word a step of its own, patience
// and the choice of whom the kernel wakes left open. It follows futex_mutex.h line by line.

#include "locking/explorer_testing.h"

#include <array>
#include <compare>
#include <cstdint>
#include <string_view>

#include <catch2/catch.hpp>

namespace tern::stress {

using locking::explore;
using locking::Findings;
using locking::Until;

namespace {

constexpr std::uint8_t locked = 1;
constexpr std::uint8_t slept_on = 2;
constexpr std::uint8_t reserved = 4;

enum class At : std::uint8_t {
    try_lock,
    try_marked,
    look,
    take,
    reserve,
    mark,
    sleep,
    asleep,
    woken,
    inside,
    wake,
    over
};

struct Thread {
    At at = At::try_lock;
    std::uint8_t rounds = 0;
    std::uint8_t seen = 0;
    bool slept = false;
    bool starved = false;
    auto operator<=>(const Thread&) const = default;
};

constexpr std::size_t thread_count = 3;
constexpr std::uint8_t rounds_each = 2;

struct MutexState {
    std::uint8_t word = 0;
    std::array<Thread, thread_count> threads;
    auto operator<=>(const MutexState&) const = default;
};

enum class Defect { none, no_wake, no_mark_after_sleep, reserved_for_starved };

struct MutexModel {
    Defect defect = Defect::none;
    std::size_t threads = thread_count;

    std::string_view broken(const MutexState& state) const {
        int inside = 0;
        for (const Thread& thread : state.threads)
            inside += thread.at == At::inside;
        return inside > 1 ? "two are inside" : "";
    }

    std::string_view stuck(const MutexState& state) const {
        for (const Thread& thread : state.threads) {
            if (thread.at != At::over) return "somebody sleeps for ever";
        }
        return "";
    }

    void step(const MutexState& state, std::size_t who, std::vector<MutexState>& out) const {
        const Thread& thread = state.threads[who];
        const auto go = [&](At at, std::uint8_t word, std::uint8_t seen) {
            MutexState next = state;
            next.word = word;
            next.threads[who].at = at;
            next.threads[who].seen = seen;
            out.push_back(next);
        };
        const std::uint8_t word = state.word;
        const std::uint8_t seen = thread.seen;
        switch (thread.at) {
            case At::try_lock:
                if (word == 0) go(At::inside, locked, 0);
                if (word == slept_on) go(At::try_marked, word, 0);
                if (word != 0 && word != slept_on) go(At::look, word, 0);
                return;
            case At::try_marked:
                word == slept_on ? go(At::inside, locked, 0) : go(At::look, word, 0);
                return;
            case At::look: {
                if (may_take(thread, word)) {
                    go(At::take, word, word);
                    return;
                }
                // It has spun long enough, or spins on.
                go(At::mark, word, word);
                if (thread.starved && (word & reserved) == 0) go(At::reserve, word, word);
                return;
            }
            case At::reserve:
                go(At::look, word == seen ? word | reserved : word, 0);
                return;
            case At::take:
                word == seen ? go(At::inside, taken(thread), 0) : go(At::look, word, 0);
                return;
            case At::mark:
                word == seen ? go(At::sleep, marked(thread), marked(thread))
                             : go(At::look, word, 0);
                return;
            case At::sleep:
                go(word == seen ? At::asleep : At::woken, word, 0);
                return;
            case At::asleep:
            case At::over:
                return;
            case At::woken:
                lose_patience_or_not(state, who, out);
                return;
            case At::inside:
                leave(state, who, out);
                return;
            case At::wake:
                wake(state, who, out);
                return;
        }
    }

  private:
    bool may_take(const Thread& thread, std::uint8_t word) const {
        const bool let_in = defect == Defect::reserved_for_starved ? thread.starved : thread.slept;
        return (word & locked) == 0 && ((word & reserved) == 0 || let_in);
    }

    std::uint8_t taken(const Thread& thread) const {
        if (!thread.slept || defect == Defect::no_mark_after_sleep) return locked;
        return static_cast<std::uint8_t>(locked | slept_on |
                                         (thread.starved ? 0 : thread.seen & reserved));
    }

    static std::uint8_t marked(const Thread& thread) {
        return static_cast<std::uint8_t>(thread.seen | slept_on | (thread.starved ? reserved : 0));
    }

    static void lose_patience_or_not(const MutexState& state,
                                     std::size_t who,
                                     std::vector<MutexState>& out) {
        MutexState next = state;
        next.threads[who].at = At::look;
        next.threads[who].slept = true;
        out.push_back(next);
        next.threads[who].starved = true;
        out.push_back(next);
    }

    static void end_round(Thread& thread) {
        const auto rounds = static_cast<std::uint8_t>(thread.rounds + 1);
        thread = {.at = rounds == rounds_each ? At::over : At::try_lock, .rounds = rounds};
    }

    static void leave(const MutexState& state, std::size_t who, std::vector<MutexState>& out) {
        MutexState next = state;
        Thread& thread = next.threads[who];
        next.word = static_cast<std::uint8_t>(state.word - locked);
        if (next.word == 0) {
            end_round(thread);
        } else {
            thread.at = At::wake;
        }
        out.push_back(next);
    }

    void wake(const MutexState& state, std::size_t who, std::vector<MutexState>& out) const {
        MutexState next = state;
        end_round(next.threads[who]);
        bool somebody = false;
        for (std::size_t i = 0; i < thread_count && defect != Defect::no_wake; ++i) {
            if (state.threads[i].at != At::asleep) continue;
            somebody = true;
            MutexState woken = next;
            woken.threads[i].at = At::woken;
            out.push_back(woken);
        }
        if (!somebody) out.push_back(next);
    }
};

TEST_CASE("AT-LOCK-10 the mutex excludes and nobody sleeps for ever, in every interleaving",
          "[AT-LOCK-10]") {
    const Findings findings = explore(MutexModel{}, MutexState{}, Until::first_finding);
    CHECK(findings.states > 1000);
    CHECK(findings.clean());
}

TEST_CASE("AT-LOCK-10 the model sees a mutex that forgets sleepers", "[AT-LOCK-10]") {
    for (const Defect defect :
         {Defect::no_wake, Defect::no_mark_after_sleep, Defect::reserved_for_starved}) {
        const MutexModel model{.defect = defect};
        CHECK(!explore(model, MutexState{}, Until::first_finding).stuck.empty());
    }
}

}  // namespace
}  // namespace tern::stress
