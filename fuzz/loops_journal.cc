/// One writer and up to eight readers in any order of steps: each reader sees every item since its
/// start, in order, until it is told that it is lost; and memory stays within its bound.

#include "loops/journal.h"

#include "fuzz/fuzz_target.h"
#include "locking/check.h"

#include <array>
#include <optional>

namespace {

using namespace tern;

struct Table {
    static constexpr locking::LockRank rank = 100;
    static constexpr std::string_view name = "table";
};

constexpr std::uint64_t capacity = 40;
constexpr std::uint64_t block = 4;
using Items = loops::Journal<std::uint64_t, block>;

struct Reading {
    std::optional<Items::Reader> reader;
    std::uint64_t expected = 0;
    std::uint64_t released = 0;
    const std::uint64_t* in_hand = nullptr;  ///< the oldest item not released

    void read(unsigned count) {
        while (count-- > 0) {
            const std::uint64_t* const item = reader->next();
            if (item == nullptr) return;
            TERN_ASSERT(*item == expected, "item ", *item, " instead of ", expected);
            if (in_hand == nullptr) in_hand = item;
            ++expected;
        }
    }

    void release(std::uint64_t through) {
        reader->release_through(through);
        released = through;
        if (through == reader->position()) in_hand = nullptr;
    }
};

}  // namespace

TERN_FUZZ(loops_journal, data, size) {
    locking::Domain<Table> domain;
    Items journal(domain, capacity);
    std::array<Reading, 8> readings;
    std::uint64_t pushed = 0;
    for (std::size_t at = 0; at + 2 <= size; at += 2) {
        Reading& reading = readings[data[at] >> 3 & 7];
        const unsigned count = data[at + 1] % 64;
        const auto guard = domain.lock_dynamic();
        switch (data[at] & 7) {
            case 0:
                if (reading.reader) break;
                reading.reader.emplace(journal);
                reading.expected = reading.released = pushed;
                reading.in_hand = nullptr;
                break;
            case 1:
                reading.reader.reset();
                break;
            case 2:
            case 3:
                for (unsigned i = 0; i < count; ++i)
                    journal.push(pushed++);
                break;
            case 4:
                if (reading.reader) reading.read(count);
                break;
            case 5:
                if (reading.reader) reading.release(reading.reader->position());
                break;
            case 6:  // only a part of what was read
                if (reading.reader && reading.in_hand != nullptr) {
                    const std::uint64_t span = reading.reader->position() - reading.released;
                    reading.release(reading.released + count % (span + 1));
                    if (reading.in_hand != nullptr) reading.in_hand = nullptr;
                }
                break;
            default:
                if (!reading.reader || !reading.reader->lost()) break;
                TERN_ASSERT(reading.reader->next() == nullptr, "a lost reader went on");
                reading.reader->restart();
                reading.expected = reading.released = pushed;
                reading.in_hand = nullptr;
        }
        journal.reclaim();
        std::uint64_t held_max = capacity + 2 * block;
        for (const Reading& each : readings) {
            if (!each.reader || each.reader->position() == each.released) continue;
            held_max = std::max(held_max, pushed - each.released + 2 * block);
        }
        TERN_ASSERT(journal.held() <= held_max, "journal holds ", journal.held());
    }
    for (Reading& each : readings)
        each.reader.reset();
}
