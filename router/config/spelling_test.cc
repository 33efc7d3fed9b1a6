#include "router/config/spelling.h"

#include <array>

#include <catch2/catch.hpp>

namespace tern::config {
namespace {

constexpr std::array<std::string_view, 5> words = {"router", "import", "export", "scan", "id"};

}  // namespace

TEST_CASE("a word with one slip is recognised: missing, added, wrong and swapped letters") {
    for (const std::string_view written : {"routr", "routter", "roater", "rotuer"}) {
        INFO(written);
        CHECK(closest_word(written, words) == "router");
    }
}

TEST_CASE("long words may have two slips, short ones only one") {
    CHECK(closest_word("imprrt", words) == "import");
    CHECK(closest_word("exsporrt", words) == "export");
    CHECK(closest_word("sn", words).empty());
    CHECK(closest_word("snn", words).empty());
}

TEST_CASE("a known, a foreign and a very long word have no neighbour") {
    CHECK(closest_word("router", words).empty());
    CHECK(closest_word("ospf", words).empty());
    CHECK(closest_word(std::string(100, 'a'), words).empty());
    CHECK(closest_word("", words).empty());
}

}  // namespace tern::config
