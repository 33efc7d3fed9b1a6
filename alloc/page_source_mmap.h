#pragma once

/// The kernel as a page source: mmap, munmap and madvise.
/// Stateless but for the policy on huge pages; any thread, any number of caches may share one.
/// Never aborts when the kernel refuses memory, that is the cache's decision.

#include "alloc/page.h"

#include <cstdint>

namespace tern::alloc {

/// Memory of the kernel, private to the process; the copy in a forked child is the child's own.
class MmapSource final : public PageSource {
  public:
    /// What to tell the kernel about transparent huge pages.
    enum class HugePages : std::uint8_t { system_default, never, always };

    explicit MmapSource(HugePages huge_pages) : huge_pages_(huge_pages) {}

    void* map(std::size_t bytes, std::size_t alignment) noexcept override;
    void unmap(void* start, std::size_t bytes) noexcept override;
    void purge(void* start, std::size_t bytes) noexcept override;
    std::size_t granularity() const noexcept override;

  private:
    void* map_and_cut(std::size_t bytes, std::size_t alignment) noexcept;
    void advise(void* start, std::size_t bytes) noexcept;

    HugePages huge_pages_;
};

}  // namespace tern::alloc
