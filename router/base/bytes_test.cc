#include "router/base/bytes.h"

#include <array>

#include <catch2/catch.hpp>

namespace tern {
namespace {

TEST_CASE("a reader returns what a writer wrote") {
    std::array<std::uint8_t, 64> memory = {};
    Writer writer(memory);
    writer.u8(1);
    writer.u16(0x0203);
    writer.u24(0x040506);
    writer.u32(0x0708090a);
    writer.u64(0x0b0c0d0e0f101112);
    writer.bytes(as_bytes("abc"));
    REQUIRE(writer.ok());
    REQUIRE(writer.size() == 21);
    for (unsigned i = 0; i < 18; ++i)
        CHECK(memory[i] == i + 1);
    Reader reader(writer.written());
    CHECK(reader.u8() == 1);
    CHECK(reader.u16() == 0x0203);
    CHECK(reader.u24() == 0x040506);
    CHECK(reader.u32() == 0x0708090a);
    CHECK(reader.u64() == 0x0b0c0d0e0f101112);
    CHECK(as_text(reader.take(3)) == "abc");
    CHECK(reader.complete());
}

TEST_CASE("reading past the end fails once and for all") {
    const std::array<std::uint8_t, 3> memory = {1, 2, 3};
    Reader reader(memory);
    CHECK(reader.u32() == 0);
    CHECK_FALSE(reader.ok());
    CHECK(reader.u8() == 0);
    CHECK(reader.remaining() == 0);
    CHECK_FALSE(reader.complete());
}

TEST_CASE("a sub-reader is bounded and a short one fails both") {
    const std::array<std::uint8_t, 4> memory = {1, 2, 3, 4};
    Reader reader(memory);
    Reader part = reader.sub(2);
    CHECK(part.u16() == 0x0102);
    CHECK(part.u8() == 0);
    CHECK_FALSE(part.ok());
    CHECK(reader.ok());
    CHECK_FALSE(reader.sub(3).ok());
    CHECK_FALSE(reader.ok());
}

TEST_CASE("writing past the end changes nothing and is remembered") {
    std::array<std::uint8_t, 4> memory = {9, 9, 9, 9};
    Writer writer(MutableBytes(memory).first(3));
    writer.u16(0x0102);
    writer.u16(0x0304);
    CHECK_FALSE(writer.ok());
    CHECK(writer.size() == 2);
    CHECK(memory[2] == 9);
    writer.rewind(1);
    CHECK(writer.ok());
    CHECK(writer.size() == 1);
}

TEST_CASE("a reserved length is patched later") {
    std::array<std::uint8_t, 8> memory = {};
    Writer writer(memory);
    const std::size_t place = writer.reserve(2);
    writer.u32(5);
    writer.patch_u16(place, 0x1234);
    CHECK(memory[0] == 0x12);
    CHECK(memory[1] == 0x34);
    CHECK(writer.size() == 6);
}

}  // namespace
}  // namespace tern
