#include "loops/waiting.h"

#include <catch2/catch.hpp>

namespace tern::loops {

TEST_CASE("a thread asks to be woken as much earlier as the kernel is late at least") {
    WakeLead lead;
    CHECK(lead.lead().is_zero());
    for (int i = 0; i < 200; ++i)
        lead.learn(Duration::from_microseconds(i % 2 == 0 ? 50 : 70));
    CHECK(lead.lead() >= Duration::from_microseconds(45));
    CHECK(lead.lead() <= Duration::from_microseconds(60));
    // One early riser counts at once, one late one hardly.
    lead.learn(Duration::from_microseconds(10));
    CHECK(lead.lead() <= Duration::from_microseconds(35));
    lead.learn(seconds(1));
    CHECK(lead.lead() <= Duration::from_microseconds(40));
}

TEST_CASE("a thread that others kept from its processor does not spin for twenty times as long") {
    SpinBudget budget;
    const Instant start = Instant::from_microseconds(1'000'000);
    REQUIRE_FALSE(budget.allows(start));  // it has to save up first
    const Instant saved = start + milliseconds(10);
    REQUIRE(budget.allows(saved));
    budget.preempted(saved, Duration::from_microseconds(50));
    CHECK_FALSE(budget.allows(saved + Duration::from_microseconds(999)));
    CHECK(budget.allows(saved + Duration::from_microseconds(1000)));
    budget.preempted(saved, seconds(1));
    CHECK_FALSE(budget.allows(saved + milliseconds(99)));
    CHECK(budget.allows(saved + milliseconds(100)));
}

TEST_CASE("a run lets more events come if they trickle in, and takes a single one at once") {
    Moderation moderation;
    for (int i = 0; i < 3; ++i) {
        CHECK_FALSE(moderation.waits());
        moderation.took(1);
    }
    CHECK(moderation.waits());
    moderation.took(1000);
    CHECK_FALSE(moderation.waits());
    moderation.took(2);
    CHECK(moderation.waits());
}

}  // namespace tern::loops
