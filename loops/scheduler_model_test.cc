// Three threads, somebody outside and two loops, walked through all interleavings: sending,
// running, stealing, dropping, stopping, moving to another group, and threads that sleep or leave.
// Broken variants show that it can fail.
#include "locking/explorer_testing.h"
#include "loops/scheduler_model_testing.h"

#include <array>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::loops::model {

using locking::explore;
using locking::Findings;
using locking::Until;

namespace {

const Order send_0{Verb::send, 0};
const Order send_1{Verb::send, 1};
const Order stop_0{Verb::stop, 0};
const Order stop_1{Verb::stop, 1};
const Order shrink{Verb::shrink, 0};
const Order move_there{Verb::move, 0, 1};
const Order move_back{Verb::move, 0, 0};

/// Three threads of one group, or two and one.
constexpr std::array<std::uint8_t, workers_count> together{0, 0, 0};
constexpr std::array<std::uint8_t, workers_count> apart{0, 0, 1};

Script from_outside(std::array<std::uint8_t, workers_count> groups, std::vector<Order> orders) {
    return {Giver::outsider, groups, std::move(orders)};
}

Script by_handlers(std::array<std::uint8_t, workers_count> groups, std::vector<Order> orders) {
    return {Giver::handlers, groups, std::move(orders)};
}

const Script sends = from_outside(together, {send_0, send_1, send_0});
const Script two_stops = from_outside(together, {send_0, stop_1, stop_0});
const Script drain = from_outside(together, {shrink, send_1});
const Script two_leave = from_outside(together, {send_0, shrink, shrink});
const Script move = from_outside(apart, {send_0, move_there});

const std::pair<std::string_view, Script> scripts[] = {
    {"sends", sends},
    {"stop and send", from_outside(together, {send_0, stop_0, send_1})},
    {"two stops", two_stops},
    {"drain", drain},
    {"two leave", two_leave},
    {"stop and drain", from_outside(together, {shrink, stop_0})},
    {"move", move},
    {"move and send", from_outside(apart, {send_0, move_there, send_0})},
    {"there and back", from_outside(apart, {send_0, move_there, move_back})},
    {"move and drain", from_outside(apart, {shrink, move_there})},
    {"move and stop", from_outside(apart, {send_0, move_there, stop_0})},
    {"sends of handlers", by_handlers(together, {send_1, send_0, send_1})},
    {"stops of handlers", by_handlers(together, {send_1, stop_0, stop_1})},
    {"drains of handlers", by_handlers(together, {send_1, shrink})},
    {"moves of handlers", by_handlers(apart, {send_1, move_there, move_back})},
};

Findings walk(const Script& script, Fault fault) {
    const Scheduler model(script, fault);
    return explore(model, model.start(), Until::first_finding);
}

}  // namespace

TEST_CASE("AT-PING-1 three threads and two loops lose and double nothing",
          "[AT-PING-1][AT-PING-3]") {
    for (const auto& [name, script] : scripts) {
        DYNAMIC_SECTION(name) {
            const Findings findings = walk(script, Fault::nothing);
            std::printf("%.*s: %zu states\n", static_cast<int>(name.size()), name.data(),
                        findings.states);
            CHECK(findings.broken == "");
            CHECK(findings.stuck == "");
            CHECK(findings.states > 1000);
        }
    }
}

TEST_CASE("AT-PING-1 the model finds schedulers that are wrong", "[AT-PING-1][AT-PING-3]") {
    CHECK(walk(sends, Fault::sleeps_without_looking).stuck == "sleeps with work queued");
    CHECK(walk(sends, Fault::no_kick).stuck == "sleeps with work queued");
    CHECK(walk(sends, Fault::no_notified).stuck == "lost notification");
    CHECK(walk(sends, Fault::runs_what_it_left).broken != "");
    CHECK(walk(sends, Fault::drop_keeps_home_queue).broken != "");
    CHECK(walk(move, Fault::drop_wakes_nobody).stuck == "nobody takes what was dropped");
    CHECK(walk(two_stops, Fault::stop_without_wake).stuck == "lost stop");
    CHECK(walk(move, Fault::move_without_wake).stuck == "in the wrong group");
    CHECK(walk(move, Fault::move_seen_before_run).stuck == "in the wrong group");
    CHECK(walk(drain, Fault::leaves_idle_behind).stuck == "without an owner");
    CHECK(walk(drain, Fault::leaves_early).stuck != "");
    CHECK(walk(two_leave, Fault::leaves_silently).stuck == "nobody takes what was dropped");
    CHECK(walk(drain, Fault::hands_to_anyone).stuck != "");
    CHECK(walk(drain, Fault::gives_back_blindly).stuck != "");
}

}  // namespace tern::loops::model
