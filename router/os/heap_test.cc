#include "router/os/heap.h"

#include <malloc.h>
#include <memory>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::os {
namespace {

constexpr std::size_t blocks = 4000;
constexpr std::size_t block_bytes = 1000;

}  // namespace

TEST_CASE("what is allocated is in use, and free when it is gone") {
    const std::size_t before = heap_use().in_use;
    std::vector<std::unique_ptr<std::byte[]>> held(blocks);
    for (auto& block : held)
        block = std::make_unique<std::byte[]>(block_bytes);
    CHECK(heap_use().in_use >= before + blocks * block_bytes);
    held.clear();
    held.shrink_to_fit();
    CHECK(heap_use().in_use < before + blocks * block_bytes / 10);
    trim_heap();
    CHECK(heap_use().in_use < before + blocks * block_bytes / 10);
}

TEST_CASE("a large block is a mapping of its own, however often there was one") {
    constexpr std::size_t large = 8 << 20;
    const auto mapped_with_one = [] {
        const auto block = std::make_unique<std::byte[]>(large);
        return ::mallinfo2().hblkhd;
    };
    ::mallopt(M_MMAP_THRESHOLD, 32 << 20);  // what the C library arrives at by itself
    CHECK(mapped_with_one() < large);
    map_large_blocks();
    CHECK(mapped_with_one() >= large);
    CHECK(mapped_with_one() >= large);
}

}  // namespace tern::os
