#pragma once

/// The recipe that once grew a daemon until it was killed, on three levels: the page cache alone,
/// all of alloc under a changing number of threads, and the daemon itself. A Workload does one
/// cycle of much and little memory and says what is mapped and resident then. Owned by main(); one
/// at a time. It aborts when the books of the allocator are wrong, and leaves judging growth to its
/// user.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace tern::oom {

/// The limits of the report, in pages: KEEP_PAGES_MAIN_MIN and _MAX, CLEANUP_PAGES_BULK.
inline constexpr std::size_t keep_pages_min = 1000;
inline constexpr std::size_t keep_pages_max = 4096;
inline constexpr std::size_t cleanup_pages_bulk = 4096;

enum class Mode : unsigned char { pages, threads, daemon };

struct Options {
    Mode mode = Mode::pages;
    std::size_t cycles = 150;
    std::size_t warm_up = 10;    ///< cycles before those that count
    std::size_t seconds = 0;     ///< runs so long instead of `cycles`, if not 0
    std::size_t pages = 60'000;  ///< per cycle
    std::size_t threads = 8;     ///< most at once
    std::size_t period = 1500;   ///< operations between looks at maintenance
    std::size_t routes = 3'000'000;
    double bound_kb = 1;  ///< growth per cycle that is still none
    std::string malloc;   ///< this library's malloc instead of alloc, if not empty
    std::string fault;    ///< a known defect to switch on
    std::string daemon = "ternd";
    std::string client = "ternc";
    std::string output;  ///< prefix of the files; empty: none
};

/// In kB.
struct Memory {
    double mapped = 0;
    double resident = 0;  ///< without free pages that the limits allow to keep, where that is known
};

/// Of a process, from /proc; exact, since the page tables are walked.
Memory memory_of(long process);

class Workload {
  public:
    virtual ~Workload() = default;
    /// Nothing if the load could not be done; standard error has the reason.
    virtual std::optional<Memory> cycle() = 0;
};

std::unique_ptr<Workload> make_pages(const Options& options);
std::unique_ptr<Workload> make_threads(const Options& options);
/// nullptr with a message on standard error if the daemon cannot be started.
std::unique_ptr<Workload> make_daemon(const Options& options);

}  // namespace tern::oom
