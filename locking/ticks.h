#pragma once

/// The cheapest clock of the machine, for measuring on hot paths: about half a clock_gettime().
/// Ticks have no unit until they are converted, which compares them with the monotonic clock; two
/// ticks are only comparable if their difference is long against the few nanoseconds by which cores
/// may differ. Never used to decide anything, only to report.

#include "locking/platform.h"

#include <cstdint>

namespace tern::locking {

/// Counts up from some moment in the past, at a constant rate; only differences mean anything. Any
/// thread, also in a signal handler.
inline std::uint64_t ticks_now() noexcept {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    std::uint64_t ticks = 0;
    asm volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
    return platform::now_ns();
#endif
}

/// Learns the length of a tick, the better the older it is. Any thread may ask; who asks within
/// 20 us of its making is kept busy until they are over.
class TickScale {
  public:
    TickScale() : ticks_(ticks_now()), ns_(platform::now_ns()) {}

    double ns_per_tick() const noexcept {
        constexpr std::uint64_t span_ns = 20'000;
        std::uint64_t ns = platform::now_ns();
        while (ns - ns_ < span_ns)
            ns = platform::now_ns();
        return static_cast<double>(ns - ns_) / static_cast<double>(ticks_now() - ticks_);
    }

  private:
    std::uint64_t ticks_;
    std::uint64_t ns_;
};

}  // namespace tern::locking
