#include "router/base/random.h"

#include <catch2/catch.hpp>

namespace tern {
namespace {

TEST_CASE("equal seeds give equal numbers, other seeds others") {
    Random a(7);
    Random b(7);
    Random c(8);
    bool differs = false;
    for (int i = 0; i < 100; ++i) {
        const std::uint64_t value = a.next();
        CHECK(value == b.next());
        differs = differs || value != c.next();
    }
    CHECK(differs);
}

TEST_CASE("bounded numbers reach both ends and stay inside") {
    Random random(1);
    bool low = false;
    bool high = false;
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t value = random.between(5, 8);
        REQUIRE(value >= 5);
        REQUIRE(value <= 8);
        low = low || value == 5;
        high = high || value == 8;
    }
    CHECK(low);
    CHECK(high);
}

}  // namespace
}  // namespace tern
