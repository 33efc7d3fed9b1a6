#pragma once

/// Where the regions of a page cache lie, so that anybody may ask about any address without reading
/// what may not be there. Most regions neighbour each other: the answer about those is a
/// subtraction and a comparison; about the others it takes an array of counts. Part of a PageCache,
/// and changed with its depot held; any thread asks without. It never looks into a region.

#include "alloc/page.h"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tern::alloc {

/// A set of regions. Asked while it changes it is right about each address that is in use.
class RegionMap {
  public:
    /// Whether an address lies in a region. Exact unless the regions lie more than 64 GiB apart:
    /// then a few other addresses pass.
    bool has(const void* address) const noexcept {
        const auto at = reinterpret_cast<std::uintptr_t>(address);
        return at - solid_.load(std::memory_order_relaxed) <
                   solid_bytes_.load(std::memory_order_relaxed) ||
               counts(at);
    }

    void add(const void* region) noexcept;
    void remove(const void* region) noexcept;

    /// Whether notes there and in all regions so far could name each other.
    bool within_span(const void* start, std::size_t bytes) const noexcept;

  private:
    static constexpr std::size_t places = (std::size_t{64} << 30) / region_bytes;
    static_assert(regions_span_max / (places * region_bytes) < 256);

    static std::size_t place_of(std::uintptr_t at) { return at / region_bytes % places; }

    [[gnu::cold]] bool counts(std::uintptr_t at) const noexcept;
    void set_solid(std::uintptr_t start, std::uintptr_t end) noexcept;

    // Neighbouring regions without a hole; no others have more of them, as far as was seen.
    std::atomic<std::uintptr_t> solid_{0};
    std::atomic<std::uintptr_t> solid_bytes_{0};
    // From the first region ever to the end of the last.
    std::atomic<std::uintptr_t> lowest_{~std::uintptr_t{0}};
    std::atomic<std::uintptr_t> highest_{0};
    /// How many regions there are at a place and at multiples of 64 GiB from it.
    std::atomic<std::uint8_t> at_place_[places] = {};
};

}  // namespace tern::alloc
