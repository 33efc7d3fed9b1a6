#include "router/os/heap.h"

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

}  // namespace tern::os
