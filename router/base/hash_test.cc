#include "router/base/hash.h"

#include <set>
#include <vector>

#include <catch2/catch.hpp>

namespace tern {
namespace {

TEST_CASE("the hash of bytes depends on every byte, the length and the seed") {
    for (std::size_t size = 0; size < 70; ++size) {
        std::vector<std::uint8_t> bytes(size, 0);
        std::set<std::uint64_t> seen = {hash_bytes(bytes, 1), hash_bytes(bytes, 2)};
        std::size_t expected = 2;
        for (std::size_t i = 0; i < size; ++i, ++expected) {
            bytes[i] = 1;
            seen.insert(hash_bytes(bytes, 1));
            bytes[i] = 0;
        }
        bytes.push_back(0);
        seen.insert(hash_bytes(bytes, 1));
        CHECK(seen.size() == expected + 1);
    }
}

TEST_CASE("upper and lower bits of hashed small integers are spread") {
    std::set<std::uint64_t> high;
    std::set<std::uint64_t> low;
    for (std::uint64_t i = 0; i < 256; ++i) {
        high.insert(hash_u64(i) >> 48);
        low.insert(hash_u64(i) & 0xffff);
    }
    CHECK(high.size() > 245);
    CHECK(low.size() > 245);
}

}  // namespace
}  // namespace tern
