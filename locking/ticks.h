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
    double ns_per_tick() const noexcept {
        constexpr std::uint64_t span_ns = 20'000;
        Moment now = Moment::look();
        while (now.ns - start_.ns < span_ns)
            now = Moment::look();
        return static_cast<double>(now.ns - start_.ns) /
               static_cast<double>(now.ticks - start_.ticks);
    }

  private:
    /// What both say at one time.
    struct Moment {
        std::uint64_t ns = 0;
        std::uint64_t ticks = 0;
        std::uint64_t width = 0;  ///< ticks within which the clock was read

        static Moment look_once() noexcept {
            const std::uint64_t before = ticks_now();
            const std::uint64_t ns = platform::now_ns();
            const std::uint64_t ticks = ticks_now();
            return {ns, ticks, ticks - before};
        }

        /// The best of three: a thread may lose the processor between two instructions.
        static Moment look() noexcept {
            Moment best = look_once();
            for (int i = 0; i < 2; ++i) {
                const Moment again = look_once();
                if (again.width < best.width) best = again;
            }
            return best;
        }
    };

    Moment start_ = Moment::look();
};

}  // namespace tern::locking
