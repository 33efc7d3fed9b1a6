#include "alloc/region_map.h"

#include <algorithm>

namespace tern::alloc {

namespace {

constexpr auto relaxed = std::memory_order_relaxed;

}  // namespace

bool RegionMap::counts(std::uintptr_t at) const noexcept {
    return at >= lowest_.load(relaxed) && at < highest_.load(relaxed) &&
           at_place_[place_of(at)].load(relaxed) != 0;
}

void RegionMap::set_solid(std::uintptr_t start, std::uintptr_t end) noexcept {
    solid_.store(start, relaxed);
    solid_bytes_.store(end - start, relaxed);
}

void RegionMap::add(const void* region) noexcept {
    std::uintptr_t start = region_start(region);
    std::uintptr_t end = start + region_bytes;
    at_place_[place_of(start)].fetch_add(1, relaxed);
    lowest_.store(std::min(lowest_.load(relaxed), start), relaxed);
    highest_.store(std::max(highest_.load(relaxed), end), relaxed);
    // Its neighbours on both sides, those that are known to be solid at once.
    const std::uintptr_t solid = solid_.load(relaxed);
    const std::uintptr_t solid_end = solid + solid_bytes_.load(relaxed);
    while (counts(end))
        end = end == solid ? solid_end : end + region_bytes;
    while (counts(start - 1))
        start = start == solid_end ? solid : start - region_bytes;
    if (end - start > solid_end - solid) set_solid(start, end);
}

void RegionMap::remove(const void* region) noexcept {
    const std::uintptr_t start = region_start(region);
    const std::uintptr_t end = start + region_bytes;
    const std::uintptr_t solid = solid_.load(relaxed);
    const std::uintptr_t solid_end = solid + solid_bytes_.load(relaxed);
    if (start >= solid && start < solid_end) {
        // The larger part stays.
        start - solid > solid_end - end ? set_solid(solid, start) : set_solid(end, solid_end);
    }
    at_place_[place_of(start)].fetch_sub(1, relaxed);
}

bool RegionMap::within_span(const void* start, std::size_t bytes) const noexcept {
    const auto at = reinterpret_cast<std::uintptr_t>(start);
    return std::max(highest_.load(relaxed), at + bytes) - std::min(lowest_.load(relaxed), at) <=
           regions_span_max;
}

}  // namespace tern::alloc
