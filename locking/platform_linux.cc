#include "locking/check.h"
#include "locking/platform.h"

#include <cerrno>
#include <climits>
#include <ctime>

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tern::locking::platform {

namespace {

constexpr std::uint64_t ns_per_s = 1'000'000'000;

long futex(std::atomic<std::uint32_t>& word,
           int operation,
           std::uint32_t value,
           const timespec* until,
           std::uint32_t channels) noexcept {
    static_assert(sizeof(word) == sizeof(std::uint32_t));
    return ::syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, value, until, nullptr,
                     channels);
}

int membarrier(int command) noexcept {
    return static_cast<int>(::syscall(SYS_membarrier, command, 0, 0));
}

}  // namespace

void sleep_on(std::atomic<std::uint32_t>& word,
              std::uint32_t seen,
              std::uint32_t channels,
              std::uint64_t limit_ns) noexcept {
    const int saved = errno;
    if (limit_ns == no_limit) {
        futex(word, FUTEX_WAIT_BITSET, seen, nullptr, channels);
    } else {
        // The bit-set variant takes a moment, not a duration.
        const std::uint64_t at = now_ns() + limit_ns;
        const timespec until{.tv_sec = static_cast<time_t>(at / ns_per_s),
                             .tv_nsec = static_cast<long>(at % ns_per_s)};
        futex(word, FUTEX_WAIT_BITSET, seen, &until, channels);
    }
    errno = saved;
}

void wake_one(std::atomic<std::uint32_t>& word, std::uint32_t channels) noexcept {
    const int saved = errno;
    futex(word, FUTEX_WAKE_BITSET, 1, nullptr, channels);
    errno = saved;
}

void wake_all(std::atomic<std::uint32_t>& word) noexcept {
    const int saved = errno;
    futex(word, FUTEX_WAKE_BITSET, INT_MAX, nullptr, all_channels);
    errno = saved;
}

bool register_barrier() noexcept {
    return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
}

void barrier_in_all_threads() noexcept {
    TERN_ASSERT(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0);
}

// GCC warns that the thread sanitizer does not model fences; it does not need this one, since the
// words of the readers order everything it checks.
#ifdef __SANITIZE_THREAD__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtsan"
#endif
void full_fence() noexcept {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
#ifdef __SANITIZE_THREAD__
#pragma GCC diagnostic pop
#endif

std::uint32_t thread_id() noexcept {
    return static_cast<std::uint32_t>(::syscall(SYS_gettid));
}

std::size_t thread_name(std::uint32_t id, char* out, std::size_t room) noexcept {
    // Built by hand because the caller may be a signal handler.
    char path[48];
    std::size_t length = 0;
    for (const TextPiece& piece :
         {TextPiece("/proc/self/task/"), TextPiece(id), TextPiece("/comm")})
        length += piece.write(path + length, sizeof(path) - 1 - length);
    path[length] = '\0';
    const int file = ::open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    const ssize_t got = ::read(file, out, room);
    ::close(file);
    if (got <= 0) return 0;
    const auto read_bytes = static_cast<std::size_t>(got);
    return out[read_bytes - 1] == '\n' ? read_bytes - 1 : read_bytes;
}

std::uint64_t now_ns() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * ns_per_s +
           static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace tern::locking::platform
