#include "locking/check.h"

#include "locking/death_test.h"
#include "locking/domain.h"
#include "locking/test_levels.h"

#include <cstring>
#include <string>

#include <catch2/catch.hpp>

namespace tern::locking {
namespace {

std::string written(const TextPiece& piece) {
    char text[64];
    return std::string(text, piece.write(text, sizeof(text)));
}

TEST_CASE("pieces of a message become text") {
    CHECK(written("plain") == "plain");
    CHECK(written(std::string("owned")) == "owned");
    CHECK(written(42) == "42");
    CHECK(written(-42) == "-42");
    CHECK(written(std::int64_t{INT64_MIN}) == "-9223372036854775808");
    CHECK(written(~std::uint64_t{0}) == "18446744073709551615");
    CHECK(written(reinterpret_cast<const void*>(0xbeef)) == "0xbeef");
}

TEST_CASE("a piece never writes beyond its room") {
    char text[4] = {'#', '#', '#', '#'};
    CHECK(TextPiece("abcdef").write(text, 3) == 3);
    CHECK(TextPiece(123456).write(text, 2) == 2);
    CHECK(text[3] == '#');
}

TEST_CASE("a true assertion does nothing and evaluates its condition once") {
    int evaluated = 0;
    TERN_ASSERT(++evaluated == 1, "not printed");
    CHECK(evaluated == 1);
}

TEST_CASE("a false assertion aborts with condition, place and message") {
    const Death death = death_of([] { TERN_ASSERT(1 + 1 == 3, "one is ", 1); });
    CHECK(death.says("assertion failed", "1 + 1 == 3", "one is 1", "check_test.cc"));
}

TEST_CASE("the report lists the domains held with their places") {
    const Death death = death_of([] {
        Domain<testing::Outer> outer("tables");
        Domain<testing::Inner> inner("attributes");
        ThreadEntry entry;
        Guard<testing::Outer> first = outer.lock(entry);
        Guard<testing::Inner> second = inner.lock(first);
        fatal(Here::now(), {"stop"});
    });
    CHECK(death.says("stop", "tables (rank 100)", "attributes (rank 300)", "check_test.cc"));
    CHECK(death.report.find("tables") < death.report.find("attributes"));
}

void shout(std::string_view report) noexcept {
    const std::string text = "handler: " + std::string(report);
    (void)!::write(STDERR_FILENO, text.data(), text.size());
}

TEST_CASE("a replaced handler gets the report and the process still aborts") {
    const Death death = death_of([] {
        set_violation_handler(shout);
        fatal(Here::now(), {"boom"});
    });
    CHECK(death.says("handler: ", "boom"));
}

TEST_CASE("setting a handler returns the previous one") {
    CHECK(set_violation_handler(shout) == print_violation);
    CHECK(set_violation_handler(print_violation) == shout);
}

}  // namespace
}  // namespace tern::locking
