#include "alloc/page_source_mmap.h"

#include "locking/check.h"

#include <sys/mman.h>
#include <unistd.h>

namespace tern::alloc {

void* MmapSource::map(std::size_t bytes, std::size_t alignment) noexcept {
    void* exact =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (exact == MAP_FAILED) return nullptr;
    if (reinterpret_cast<std::uintptr_t>(exact) % alignment == 0) {
        advise(exact, bytes);
        return exact;
    }
    unmap(exact, bytes);
    return map_and_cut(bytes, alignment);
}

/// More than needed, then cut to size: kernels before 6.7 align to their pages only.
void* MmapSource::map_and_cut(std::size_t bytes, std::size_t alignment) noexcept {
    const std::size_t slack = alignment > granularity() ? alignment : 0;
    void* mapped =
        ::mmap(nullptr, bytes + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return nullptr;
    auto* start = static_cast<std::byte*>(mapped);
    const auto address = reinterpret_cast<std::uintptr_t>(start);
    const std::size_t before = slack == 0 ? 0 : round_up(address, alignment) - address;
    if (before != 0) unmap(start, before);
    if (slack != before) unmap(start + before + bytes, slack - before);
    start += before;
    advise(start, bytes);
    return start;
}

void MmapSource::advise([[maybe_unused]] void* start, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef MADV_HUGEPAGE
    if (huge_pages_ != HugePages::system_default) {
        // A kernel without huge pages refuses; that changes nothing for us.
        (void)::madvise(start, bytes,
                        huge_pages_ == HugePages::never ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
    }
#endif
}

void MmapSource::unmap(void* start, std::size_t bytes) noexcept {
    TERN_ASSERT(::munmap(start, bytes) == 0, "munmap of ", bytes, " bytes at ", start);
}

void MmapSource::purge(void* start, std::size_t bytes) noexcept {
    // DONTNEED and not FREE, since people watch the resident size.
    TERN_ASSERT(::madvise(start, bytes, MADV_DONTNEED) == 0, "madvise of ", bytes, " bytes at ",
                start);
}

std::size_t MmapSource::granularity() const noexcept {
    return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace tern::alloc
