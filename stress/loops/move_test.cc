// A watcher moves between two loops as fast as it can while bytes come: each arrives once, in
// order.
#include "loops/stream_testing.h"
#include "loops/test_support.h"
#include "stress/loops/stopper.h"
#include "stress/scale.h"

#include <atomic>
#include <deque>
#include <optional>
#include <thread>

#include <catch2/catch.hpp>

namespace tern::stress {

using loops::Event;
using loops::Interest;
using loops::Loop;
using loops::Ready;
using loops::Turn;
using loops::Watcher;
using loops::test::Action;
using loops::test::ByteStream;
using loops::test::Real;
using loops::test::TestLoop;

namespace {

struct Reader : ByteStream {
    static void ready(void* context, Turn& turn, Ready) {
        auto& self = *static_cast<Reader*>(context);
        TERN_ASSERT(&turn.loop() == &self.watcher->loop(), "delivered in another loop");
        if (self.read()) self.heard->send(*self.main);
    }

    std::optional<Watcher> watcher;
    Event* heard = nullptr;
    Loop* main = nullptr;
};

}  // namespace

TEST_CASE("AT-SOCK-8 a stream survives very many moves of its watcher", "[AT-SOCK-8]") {
    std::uint64_t moves = scaled(3'000);
    Real real(2);
    std::deque<TestLoop> ends;
    for (const char* name : {"first", "second"})
        ends.emplace_back(real.group, name);
    Reader reader;
    Stopper stopper(real.runtime);
    std::atomic<bool> enough{false};
    bool written = false;
    std::thread writer;
    Action move{[&](Turn&) {
        const locking::PairLock<loops::test::Protocol> both(ends[0].domain, ends[1].domain);
        if (!reader.watcher) return;
        if (moves > 0) {
            --moves;
            Loop& other = ends[&reader.watcher->loop() == &ends[0].loop ? 1 : 0].loop;
            reader.watcher->move_to(other);
            return;
        }
        enough = true;
        if (!written || reader.received != reader.sent) return;
        reader.watcher.reset();
        stopper.stop(ends);
    }};
    Action end{[&](Turn& turn) {
        written = true;
        move.body(turn);
    }};
    Event heard(move.callback());
    Event all_written(end.callback());
    reader.heard = &heard;
    reader.main = &real.runtime.main_loop();
    real.run([&](Turn&) {
        {
            const loops::LoopEntry entry(ends[0].loop);
            reader.watcher.emplace(ends[0].loop, reader.reads.get(), Interest::readable,
                                   Reader::ready, &reader);
        }
        writer = std::thread([&] {
            while (!enough)
                reader.write();
            all_written.send(*reader.main);
        });
    });
    writer.join();
    CHECK(moves == 0);
    CHECK(reader.received == reader.sent);
}

}  // namespace tern::stress
