// The page cache under any sequence of operations, against a map of what is handed out.

#include "alloc/page_cache.h"
#include "alloc/page_source_test.h"
#include "fuzz/fuzz_target.h"

#include <map>
#include <vector>

namespace {

using namespace tern::alloc;

constexpr std::size_t pages_max = 4000;

struct Twin {
    struct Run {
        std::size_t pages;
        std::uint8_t fill;
    };

    std::map<std::uint8_t*, Run> runs;
    std::size_t pages = 0;

    /// Writes the ends of each page, which overlapping runs would destroy.
    void take(void* memory, std::size_t count, std::uint8_t fill) {
        auto* bytes = static_cast<std::uint8_t*>(memory);
        const auto next = runs.lower_bound(bytes);
        TERN_ASSERT(next == runs.end() || bytes + count * page_bytes <= next->first, "overlap");
        TERN_ASSERT(
            next == runs.begin() ||
                std::prev(next)->first + std::prev(next)->second.pages * page_bytes <= bytes,
            "overlap");
        for (std::size_t i = 0; i < count; ++i) {
            bytes[i * page_bytes] = fill;
            bytes[(i + 1) * page_bytes - 1] = fill;
        }
        runs[bytes] = {count, fill};
        pages += count;
    }

    /// The n-th run, checked and forgotten.
    std::pair<void*, std::size_t> give(std::size_t n) {
        auto it = std::next(runs.begin(), static_cast<std::ptrdiff_t>(n % runs.size()));
        const auto [memory, run] = *it;
        for (std::size_t i = 0; i < run.pages; ++i) {
            TERN_ASSERT(
                memory[i * page_bytes] == run.fill && memory[(i + 1) * page_bytes - 1] == run.fill,
                "contents of a page in use changed");
        }
        pages -= run.pages;
        runs.erase(it);
        return {memory, run.pages};
    }
};

PageCacheConfig config_of(std::uint8_t choice) {
    PageCacheConfig config;
    config.magazine_pages = 1 + choice % 16;
    config.keep_pages_main_max = 64 + choice;
    config.keep_pages_main_min = choice % 15;
    config.cleanup_pages_bulk = 16 + choice % 64;
    config.keep_cold_regions = choice % 3;
    if (choice % 5 == 0) config.mapped_pages_max = 2 * region_pages;
    return config;
}

/// All single pages of the twin in one chain, as an arena gives them.
void give_chain(PageCache& cache, Twin& twin) {
    PageChain chain;
    std::vector<std::pair<void*, std::size_t>> others;
    while (!twin.runs.empty()) {
        const auto [memory, pages] = twin.give(0);
        if (pages != 1) {
            others.emplace_back(memory, pages);
            continue;
        }
        PageNote& note = note_of<PageNote>(memory);
        note.link_to(chain.first);
        chain.first = &note;
        ++chain.pages;
    }
    cache.deallocate_chain(chain);
    for (const auto& [memory, pages] : others)
        cache.deallocate_run(memory, pages);
}

}  // namespace

TERN_FUZZ(alloc_pages, data, size) {
    if (size < 2) return;
    TestSource source;
    if (data[1] % 4 == 3) source.pretend_granularity(4 * page_bytes);
    PageCache cache(source, config_of(data[0]));
    Twin twin;
    for (std::size_t i = 2; i + 1 < size && i < 600; i += 2) {
        const std::uint8_t argument = data[i + 1];
        switch (data[i] % 10) {
            case 0:
            case 1:
                for (std::size_t n = 0; n <= argument && twin.pages < pages_max; ++n) {
                    void* page = cache.try_allocate();
                    if (page == nullptr) break;
                    twin.take(page, 1, argument);
                }
                break;
            case 2:
            case 3:
                for (std::size_t n = 0; n <= argument && !twin.runs.empty(); ++n) {
                    const auto [memory, pages] = twin.give(n * argument);
                    cache.deallocate_run(memory, pages);
                }
                break;
            case 4:
            case 5: {
                const std::size_t pages = 1 + argument * (data[i] % 10 - 3u);
                if (twin.pages + pages > pages_max) break;
                void* run = cache.try_allocate_run(pages);
                if (run != nullptr) twin.take(run, pages, argument);
                break;
            }
            case 6:
                cache.maintain();
                break;
            case 7:
                cache.flush_thread();
                break;
            case 8:
                source.fail_from(argument % 4);
                break;
            default:
                give_chain(cache, twin);
                break;
        }
        TERN_ASSERT(cache.stats().in_use == twin.pages, "in use ", cache.stats().in_use,
                    ", the twin has ", twin.pages);
        if (i % 16 == 0) cache.verify();
    }
    give_chain(cache, twin);
    cache.flush_thread();
    source.fail_from(0);
    for (int turns = 0; cache.maintenance_due(); ++turns) {
        TERN_ASSERT(turns < 10000, "maintenance never ends");
        cache.maintain();
    }
    cache.verify();
    TERN_ASSERT(cache.stats().in_use == 0, "pages lost");
}
