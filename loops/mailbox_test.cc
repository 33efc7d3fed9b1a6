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

TEST_CASE("while what was taken is received, as much again may be posted, and comes after it") {
    Sim sim;
    TestLoop loop(*sim.group, "a");

    struct Echo {
        Mailbox<int>* box = nullptr;
        std::vector<int> got;
        unsigned refused = 0;

        static void receive(void* context, Turn&, int& message) {
            auto& self = *static_cast<Echo*>(context);
            self.got.push_back(message);
            if (message >= 10) return;
            // Three places: the first message fills them, the others find the box full.
            for (int i = 0; i < 3; ++i)
                self.refused += self.box->post(message * 10 + i) ? 0 : 1;
        }
    } echo;

    Mailbox<int> box(loop.loop, 3, Echo::receive, &echo);
    echo.box = &box;
    for (int i = 1; i <= 3; ++i)
        CHECK(box.post(int{i}));
    CHECK(sim.sim.settle());
    CHECK(echo.got == std::vector<int>{1, 2, 3, 10, 11, 12});
    CHECK(echo.refused == 6);
}

TEST_CASE("a run that is out of time leaves the rest of its messages for the next") {
    constexpr int many = 10'000;
    Sim sim;
    TestLoop loop(*sim.group, "a");
    std::vector<int> got;
    Mailbox<int> box(
        loop.loop, many,
        [](void* context, Turn&, int& message) {
            static_cast<std::vector<int>*>(context)->push_back(message);
        },
        &got);
    for (int i = 0; i < many; ++i)
        CHECK(box.post(int{i}));
    CHECK(sim.sim.step());
    CHECK(got.size() < many);
    CHECK(box.post(int{many}));
    CHECK(sim.sim.settle());
    REQUIRE(got.size() == many + 1);
    for (int i = 0; i <= many; ++i)
        CHECK(got[static_cast<std::size_t>(i)] == i);
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
