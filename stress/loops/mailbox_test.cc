// Messages from many threads through a small box: each comes once, in the order of its sender.
#include "loops/mailbox.h"

#include "loops/test_support.h"
#include "stress/scale.h"

#include <array>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::stress {

using loops::LoopEntry;
using loops::Mailbox;
using loops::Turn;
using loops::test::Real;
using loops::test::TestLoop;

namespace {

constexpr unsigned senders = 3;
constexpr std::size_t places = 16;

struct Message {
    unsigned sender = 0;
    std::uint64_t number = 0;
};

/// Counts what comes, and quits when all has.
struct Receiver {
    static void receive(void* context, Turn&, Message& message) {
        auto& self = *static_cast<Receiver*>(context);
        if (message.number != self.next[message.sender]) ++self.out_of_order;
        self.next[message.sender] = message.number + 1;
        if (--self.left == 0) self.runtime.quit();
    }

    loops::Runtime& runtime;
    std::uint64_t left;
    std::array<std::uint64_t, senders> next{};
    std::uint64_t out_of_order = 0;
};

}  // namespace

TEST_CASE("a storm of messages through a small mailbox loses none and keeps their order") {
    const std::uint64_t each = scaled(300'000);
    Real real(2);
    TestLoop target(real.group, "target");
    Receiver receiver{.runtime = real.runtime, .left = senders * each};
    Mailbox<Message> box(target.loop, places, Receiver::receive, &receiver);
    std::vector<std::thread> threads;
    real.run([&](Turn&) {
        for (unsigned s = 0; s < senders; ++s) {
            threads.emplace_back([&, s] {
                for (std::uint64_t i = 0; i < each; ++i) {
                    while (!box.post({s, i}))
                        std::this_thread::yield();
                }
            });
        }
    });
    for (std::thread& thread : threads)
        thread.join();
    CHECK(receiver.left == 0);
    CHECK(receiver.out_of_order == 0);
    const LoopEntry entry(target.loop);
    CHECK(box.empty());
    box.clear();  // a run cut short after the last message wants another one
}

}  // namespace tern::stress
