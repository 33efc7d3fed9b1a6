// Marks, rewinds and resets of an arena in any nesting, against a stack of what was allocated.

#include "alloc/arena.h"
#include "alloc/page_source_test.h"
#include "fuzz/fuzz_target.h"

#include <cstring>
#include <vector>

namespace {

using namespace tern::alloc;

struct Piece {
    std::uint8_t* bytes;
    std::size_t size;
    std::uint8_t fill;
};

void check(const std::vector<Piece>& pieces) {
    for (const Piece& piece : pieces) {
        for (std::size_t i = 0; i < piece.size; ++i)
            TERN_ASSERT(piece.bytes[i] == piece.fill, "contents of an arena changed");
    }
}

struct Nest {
    Arena::Mark mark;
    std::size_t pieces;
};

}  // namespace

TERN_FUZZ(alloc_arena, data, size) {
    TestSource source;
    PageCache cache(source, PageCacheConfig{});
    Arena arena(cache);
    std::vector<Piece> pieces;
    std::vector<Nest> nests;
    for (std::size_t i = 0; i + 1 < size && i < 400; i += 2) {
        const std::uint8_t argument = data[i + 1];
        switch (data[i] % 8) {
            case 0:
            case 1:
            case 2:
            case 3: {
                // Small, middle, around the bound of large ones, and beyond a page.
                constexpr std::size_t scales[] = {1, 12, 20, 60};
                const std::size_t bytes = argument * scales[data[i] % 4];
                const std::size_t alignment = std::size_t{1} << (data[i] / 8 % 7);
                auto* start = static_cast<std::uint8_t*>(arena.allocate(bytes, alignment));
                TERN_ASSERT(reinterpret_cast<std::uintptr_t>(start) % alignment == 0, "alignment");
                TERN_ASSERT(bytes == 0 || arena.contains(start), "outside of the arena");
                std::memset(start, argument, bytes);
                pieces.push_back({start, bytes, argument});
                break;
            }
            case 4:
                nests.push_back({arena.mark(), pieces.size()});
                break;
            case 5:
            case 6:
                if (nests.empty()) break;
                nests.resize(nests.size() - argument % nests.size());
                arena.rewind(nests.back().mark);
                pieces.resize(nests.back().pieces);
                break;
            default:
                if (argument % 2 == 0) arena.reset();
                if (argument % 2 != 0) arena.release_all();
                pieces.clear();
                nests.clear();
                break;
        }
        if (i % 32 == 0) check(pieces);
        TERN_ASSERT(cache.stats().in_use * page_bytes == arena.held_bytes(),
                    "pages held: ", cache.stats().in_use, ", bytes held: ", arena.held_bytes());
    }
    check(pieces);
    arena.release_all();
    TERN_ASSERT(cache.stats().in_use == 0 && arena.held_bytes() == 0, "pages lost");
    cache.verify();
}
