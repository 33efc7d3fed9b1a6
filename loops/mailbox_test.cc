#include "loops/mailbox.h"

#include "loops/remote_call.h"
#include "loops/test_support.h"

#include <memory>
#include <string>

#include <catch2/catch.hpp>

namespace tern::loops {

using test::Action;
using test::Sim;
using test::TestLoop;

namespace {

struct Inbox {
    std::vector<std::string> got;

    static void receive(void* context, Turn&, std::unique_ptr<std::string>& message) {
        static_cast<Inbox*>(context)->got.push_back(*message);
    }
};

}  // namespace

TEST_CASE("messages arrive in order and a full mailbox refuses") {
    Sim sim;
    TestLoop loop(*sim.group, "a");
    Inbox inbox;
    Mailbox<std::unique_ptr<std::string>> box(loop.loop, 4, Inbox::receive, &inbox);
    for (int i = 0; i < 4; ++i) {
        CHECK(box.post(std::make_unique<std::string>(std::to_string(i))));
    }
    auto refused = std::make_unique<std::string>("refused");
    CHECK_FALSE(box.post(std::move(refused)));
    CHECK(refused != nullptr);
    CHECK(sim.sim.settle());
    CHECK(inbox.got == std::vector<std::string>{"0", "1", "2", "3"});
    CHECK(box.post(std::make_unique<std::string>("4")));
    CHECK(sim.sim.settle());
    CHECK(inbox.got.back() == "4");
}

TEST_CASE("messages that were never received are destroyed with their mailbox") {
    Sim sim;
    TestLoop loop(*sim.group, "a");
    const auto counted = std::make_shared<int>(0);
    {
        Mailbox<std::shared_ptr<int>> box(
            loop.loop, 2, [](void*, Turn&, std::shared_ptr<int>&) {}, nullptr);
        std::shared_ptr<int> copy = counted;
        CHECK(box.post(std::move(copy)));
        CHECK(counted.use_count() == 2);
        const LoopEntry entry(loop.loop);
        CHECK_FALSE(box.empty());
        box.clear();
    }
    CHECK(counted.use_count() == 1);
}

TEST_CASE("a remote call works there and answers here") {
    Sim sim;
    TestLoop there(*sim.group, "there");
    std::vector<std::string> trace;
    Action work{[&](Turn& turn) {
        CHECK(&turn.loop() == &there.loop);
        trace.push_back("work");
    }};
    RemoteCall* call_pointer = nullptr;
    Action done{[&](Turn& turn) {
        CHECK(&turn.loop() == &sim.main());
        trace.push_back(call_pointer->completed() ? "done" : "refused");
    }};
    RemoteCall call(sim.main(), work.callback(), done.callback());
    call_pointer = &call;
    {
        const LoopEntry entry(sim.main());
        call.start(there.loop);
    }
    CHECK(call.in_flight());
    CHECK(sim.sim.settle());
    CHECK(trace == std::vector<std::string>{"work", "done"});
    CHECK_FALSE(call.in_flight());

    Action stopped_action{[](Turn&) {}};
    Event stopped(stopped_action.callback());
    there.loop.stop(sim.main(), stopped);
    CHECK(sim.sim.settle());
    {
        const LoopEntry entry(sim.main());
        call.start(there.loop);
    }
    CHECK(sim.sim.settle());
    CHECK(trace.back() == "refused");
}

}  // namespace tern::loops
