// An indexed slab under any sequence, also at the very end of its id space, against a map.

#include "alloc/page_source_test.h"
#include "alloc/slab_indexed.h"
#include "fuzz/fuzz_target.h"

#include <map>

namespace {

using namespace tern::alloc;

struct Level {
    static constexpr tern::locking::LockRank rank = 100;
    static constexpr std::string_view name = "fuzz";
};

using Ids = IndexedSlab<std::uint32_t>;
using Twin = std::map<std::uint32_t, std::uint32_t*>;

constexpr std::size_t live_max = 6000;

void make(Ids& slab, Twin& twin, std::size_t count, std::uint32_t seed) {
    for (std::size_t i = 0; i < count && twin.size() < live_max; ++i) {
        std::uint32_t* object = slab.try_make(seed);
        if (object == nullptr) return;
        const std::uint32_t id = slab.id_of(*object);
        TERN_ASSERT(twin.emplace(id, object).second, "id ", id, " given twice");
        *object = id ^ 0x5a5a5a5a;
    }
}

void destroy(Ids& slab, Twin& twin, std::size_t count, std::uint32_t stride) {
    for (std::size_t i = 0; i < count && !twin.empty(); ++i) {
        auto it = twin.lower_bound(static_cast<std::uint32_t>(i) * stride);
        if (it == twin.end()) it = twin.begin();
        TERN_ASSERT(*it->second == (it->first ^ 0x5a5a5a5a), "object ", it->first, " changed");
        slab.destroy(*it->second);
        TERN_ASSERT(slab.find(it->first) == nullptr, "a dead object is found");
        twin.erase(it);
    }
}

void compare(const Ids& slab, const Twin& twin) {
    TERN_ASSERT(slab.live() == twin.size(), "live ", slab.live(), " of ", twin.size());
    for (const auto& [id, object] : twin) {
        TERN_ASSERT(slab.find(id) == object && &slab[id] == object, "id ", id, " is lost");
        TERN_ASSERT(id < slab.id_bound(), "id ", id, " is beyond the bound");
    }
}

}  // namespace

TERN_FUZZ(alloc_ids, data, size) {
    if (size < 2) return;
    TestSource source;
    PageCache cache(source, PageCacheConfig{});
    tern::locking::Domain<Level> domain;
    const auto guard = domain.lock_dynamic();
    Pool pool(domain, "fuzz", cache);
    {
        Ids slab(pool, "ids");
        Twin twin;
        const bool at_the_end = data[0] == 0xff;
        if (at_the_end) {
            // A few pages before the last id; the directory there is large, so not every time.
            constexpr auto count = static_cast<std::uint32_t>(Ids::layout.count);
            slab.test_skip_pages(0xffffffffu / count - 1 - data[1] % 4);
        }
        for (std::size_t i = 2; i + 1 < size && i < 300; i += 2) {
            const std::uint8_t argument = data[i + 1];
            switch (data[i] % 6) {
                case 0:
                case 1:
                    make(slab, twin, argument * (1 + data[i] / 64u), argument);
                    break;
                case 2:
                case 3:
                    destroy(slab, twin, argument * (1 + data[i] / 64u), argument * 7u + 1);
                    break;
                case 4:
                    source.fail_from(argument % 3);
                    break;
                default:
                    if (at_the_end) break;  // would begin at zero again
                    slab.clear();
                    twin.clear();
                    break;
            }
            if (i % 16 == 0 && !at_the_end) slab.verify();
        }
        compare(slab, twin);
    }
    cache.verify();
    TERN_ASSERT(cache.stats().in_use == 0, "pages lost");
}
