#pragma once

/// A page source for tests: counts what is mapped, refuses on demand, pretends other page sizes,
/// leaves holes.
/// Backed by the kernel. Owned by the test, which must keep it until the cache is gone; any thread.
/// Purged memory is really given back, so that a test that reads stale contents notices.

#include "alloc/page_source_mmap.h"
#include "locking/check.h"

#include <atomic>
#include <cstddef>

#include <sys/mman.h>

namespace tern::alloc {

class TestSource final : public PageSource {
  public:
    TestSource() : real_(MmapSource::HugePages::system_default) {}

    ~TestSource() override { TERN_ASSERT(mapped_ == 0, mapped_.load(), " bytes still mapped"); }

    /// The n-th map() from now (1: the next) and all later ones fail; 0: none.
    void fail_from(std::size_t n) {
        calls_ = 0;
        fail_from_ = n;
    }

    /// Each n-th map() fails; 0: none.
    void fail_every(std::size_t n) { fail_every_ = n; }

    void pretend_granularity(std::size_t bytes) { granularity_ = bytes; }

    /// From now on each mapping has a region behind it that nobody may touch.
    void leave_holes() { hole_bytes_ = region_bytes; }

    std::size_t mapped_bytes() const { return mapped_; }

    std::size_t calls() const { return calls_; }

    void* map(std::size_t bytes, std::size_t alignment) noexcept override {
        const std::size_t call = ++calls_;
        if (fail_from_ != 0 && call >= fail_from_) return nullptr;
        if (fail_every_ != 0 && call % fail_every_ == 0) return nullptr;
        void* start = real_.map(bytes + hole_bytes_, alignment);
        if (start == nullptr) return nullptr;
        mapped_ += bytes;
        if (hole_bytes_ != 0)
            ::mprotect(static_cast<std::byte*>(start) + bytes, hole_bytes_, PROT_NONE);
        return start;
    }

    void unmap(void* start, std::size_t bytes) noexcept override {
        mapped_ -= bytes;
        real_.unmap(start, bytes + hole_bytes_);
    }

    void purge(void* start, std::size_t bytes) noexcept override { real_.purge(start, bytes); }

    std::size_t granularity() const noexcept override {
        return granularity_ != 0 ? granularity_ : real_.granularity();
    }

  private:
    MmapSource real_;
    std::atomic<std::size_t> mapped_{0};
    std::atomic<std::size_t> calls_{0};
    std::size_t hole_bytes_ = 0;
    std::size_t fail_from_ = 0;
    std::size_t fail_every_ = 0;
    std::size_t granularity_ = 0;
};

}  // namespace tern::alloc
