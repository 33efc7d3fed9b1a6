#include "router/base/number.h"

#include <catch2/catch.hpp>

namespace tern {
namespace {

TEST_CASE("numbers are decimal or hexadecimal") {
    CHECK(parse_u32("0").value() == 0);
    CHECK(parse_u32("010").value() == 10);
    CHECK(parse_u32("4294967295").value() == 0xffff'ffff);
    CHECK(parse_u32("0xFFffFFff").value() == 0xffff'ffff);
    CHECK(parse_u64("0x123456789abcdef0").value() == 0x123456789abcdef0);
}

TEST_CASE("numbers that do not fit are out of range") {
    CHECK(parse_u32("4294967296").error() == NumberError::out_of_range);
    CHECK(parse_u64("99999999999999999999").error() == NumberError::out_of_range);
    CHECK(parse_in_range("5", {6, 7}).error() == NumberError::out_of_range);
    CHECK(parse_in_range("8", {6, 7}).error() == NumberError::out_of_range);
    CHECK(parse_in_range("6", {6, 7}).value() == 6);
}

TEST_CASE("texts that are not a number are refused whole") {
    for (const char* text : {"-1", "+1", " 1", "1 ", "1a", "0x", "0xg", "a"}) {
        INFO(text);
        CHECK(parse_u32(text).error() == NumberError::not_a_number);
    }
    CHECK(parse_u32("").error() == NumberError::empty);
}

}  // namespace
}  // namespace tern
