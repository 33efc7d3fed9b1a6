// Grace periods as a model: readers whose stores wait in a buffer while their loads go ahead, and a
// writer that publishes, takes a ticket, fences or not, looks at their words and spoils. It also
// has the sleep of the writer and the wake-up by the last reader.

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

constexpr std::size_t reader_count = 2;
constexpr std::uint8_t sections_each = 2;
constexpr std::uint8_t no_store = 0xff;

enum class Read : std::uint8_t {
    phase,
    word,
    fence,
    pointer,
    value,
    leave,
    leave_fence,
    waiters,
    over
};

struct Reader {
    Read at = Read::phase;
    std::uint8_t sections = 0;
    std::uint8_t phase = 0;
    std::uint8_t object = 0;
    std::uint8_t word = 0;                          ///< as memory has it: 0 or the phase
    std::uint8_t buffer[2] = {no_store, no_store};  ///< stores under way, older first
    bool hit = false;
    auto operator<=>(const Reader&) const = default;
};

enum class Write : std::uint8_t {
    publish,
    ticket,
    barrier,
    scan,
    announce,
    second_barrier,
    check,
    sleep,
    asleep,
    spoil,
    over
};

struct RcuState {
    std::array<Reader, reader_count> readers;
    Write at = Write::publish;
    std::uint8_t published = 0;
    std::uint8_t phase = 1;
    std::uint8_t spoilt = no_store;
    std::uint8_t wakes = 0;
    std::uint8_t wakes_seen = 0;
    bool waiting = false;
    auto operator<=>(const RcuState&) const = default;
};

enum class Fences { by_writer, by_readers, nowhere };

struct RcuModel {
    Fences fences = Fences::by_writer;
    std::size_t threads = 2 * reader_count + 1;  ///< readers, their buffers, the writer

    std::string_view broken(const RcuState& state) const {
        for (const Reader& reader : state.readers) {
            if (reader.hit) return "a spoilt object was read";
        }
        return "";
    }

    std::string_view stuck(const RcuState& state) const {
        for (const Reader& reader : state.readers) {
            if (reader.at != Read::over) return "a reader does not end";
        }
        return state.at == Write::over ? "" : "the writer oversleeps";
    }

    void step(const RcuState& state, std::size_t who, std::vector<RcuState>& out) const {
        RcuState next = state;
        bool moved = false;
        if (who < reader_count) {
            moved = read(next, next.readers[who]);
        } else if (who < 2 * reader_count) {
            moved = drain(next.readers[who - reader_count]);
        } else {
            moved = write(next);
        }
        if (moved) out.push_back(next);
    }

  private:
    /// The oldest store under way reaches memory.
    static bool drain(Reader& reader) {
        if (reader.buffer[0] == no_store) return false;
        reader.word = reader.buffer[0];
        reader.buffer[0] = reader.buffer[1];
        reader.buffer[1] = no_store;
        return true;
    }

    static bool store(Reader& reader, std::uint8_t word) {
        if (reader.buffer[1] != no_store) return false;
        reader.buffer[reader.buffer[0] == no_store ? 0 : 1] = word;
        return true;
    }

    /// A fence waits for the buffer; without one it is passed at once.
    bool passes(const Reader& reader) const {
        return fences != Fences::by_readers || reader.buffer[0] == no_store;
    }

    bool read(RcuState& state, Reader& reader) const {
        switch (reader.at) {
            case Read::phase:
                reader.phase = state.phase;
                reader.at = Read::word;
                return true;
            case Read::word:
                if (!store(reader, reader.phase)) return false;
                reader.at = Read::fence;
                return true;
            case Read::fence:
                if (!passes(reader)) return false;
                reader.at = Read::pointer;
                return true;
            case Read::pointer:
                reader.object = state.published;
                reader.at = Read::value;
                return true;
            case Read::value:
                reader.hit = reader.object == state.spoilt;
                reader.at = Read::leave;
                return true;
            case Read::leave:
                if (!store(reader, 0)) return false;
                reader.at = Read::leave_fence;
                return true;
            case Read::leave_fence:
                if (!passes(reader)) return false;
                reader.at = Read::waiters;
                return true;
            case Read::waiters:
                if (state.waiting) {
                    // Counting a wake-up is a locked instruction, which what was stored precedes.
                    while (drain(reader)) {
                    }
                    ++state.wakes;
                    if (state.at == Write::asleep) state.at = Write::check;
                }
                reader.at = ++reader.sections == sections_each ? Read::over : Read::phase;
                return true;
            case Read::over:
                return false;
        }
        return false;
    }

    void fence_all(RcuState& state) const {
        if (fences != Fences::by_writer) return;
        for (Reader& reader : state.readers) {
            while (drain(reader)) {
            }
        }
    }

    /// Whether all sections of an older phase have ended, as far as memory tells.
    static bool ended(const RcuState& state) {
        for (const Reader& reader : state.readers) {
            if (reader.word != 0 && reader.word < state.phase) return false;
        }
        return true;
    }

    bool write(RcuState& state) const {
        switch (state.at) {
            case Write::publish:
                state.published = 1;
                state.at = Write::ticket;
                return true;
            case Write::ticket:
                ++state.phase;
                state.at = Write::barrier;
                return true;
            case Write::barrier:
                fence_all(state);
                state.at = Write::scan;
                return true;
            case Write::scan:
                state.at = ended(state) ? Write::spoil : Write::announce;
                return true;
            case Write::announce:
                state.waiting = true;
                state.at = Write::second_barrier;
                return true;
            case Write::second_barrier:
                fence_all(state);
                state.at = Write::check;
                return true;
            case Write::check:
                state.wakes_seen = state.wakes;
                state.at = ended(state) ? Write::spoil : Write::sleep;
                return true;
            case Write::sleep:
                state.at = state.wakes == state.wakes_seen ? Write::asleep : Write::check;
                return true;
            case Write::spoil:
                state.spoilt = 0;
                state.waiting = false;
                state.at = Write::over;
                return true;
            case Write::asleep:
            case Write::over:
                return false;
        }
        return false;
    }
};

TEST_CASE("AT-RCU-5 in every interleaving no reader sees a spoilt object and no writer oversleeps",
          "[AT-RCU-5]") {
    for (const Fences fences : {Fences::by_writer, Fences::by_readers}) {
        const Findings findings = explore(RcuModel{.fences = fences}, RcuState{}, Until::end);
        CHECK(findings.states > 10'000);
        CHECK(findings.clean());
    }
}

TEST_CASE("AT-RCU-5 without fences the model sees both", "[AT-RCU-5]") {
    const Findings findings = explore(RcuModel{.fences = Fences::nowhere}, RcuState{}, Until::end);
    CHECK(!findings.broken.empty());
    CHECK(!findings.stuck.empty());
}

}  // namespace
}  // namespace tern::stress
