#include "locking/platform.h"

#include <chrono>
#include <thread>

namespace tern::locking::platform {

namespace {

// The C++ library cannot wait with a limit; whoever wants one looks this often.
constexpr std::chrono::milliseconds look_every{1};

constinit std::atomic<std::uint32_t> last_id{0};
constinit thread_local std::uint32_t own_id = 0;

}  // namespace

void sleep_on(std::atomic<std::uint32_t>& word,
              std::uint32_t seen,
              std::uint32_t /*channels*/,
              std::uint64_t limit_ns) noexcept {
    if (limit_ns == no_limit) {
        word.wait(seen, std::memory_order_relaxed);
        return;
    }
    const std::uint64_t until = now_ns() + limit_ns;
    while (word.load(std::memory_order_relaxed) == seen && now_ns() < until)
        std::this_thread::sleep_for(look_every);
}

void wake_one(std::atomic<std::uint32_t>& word, std::uint32_t channels) noexcept {
    // Channels are not told apart, so the one that is meant is found by waking all.
    if (channels == all_channels) {
        word.notify_one();
    } else {
        word.notify_all();
    }
}

void wake_all(std::atomic<std::uint32_t>& word) noexcept {
    word.notify_all();
}

bool register_barrier() noexcept {
    return false;
}

void barrier_in_all_threads() noexcept {}

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
    if (own_id == 0) own_id = last_id.fetch_add(1, std::memory_order_relaxed) + 1;
    return own_id;
}

std::size_t thread_name(std::uint32_t /*id*/, char* /*out*/, std::size_t /*room*/) noexcept {
    return 0;
}

std::uint64_t now_ns() noexcept {
    using std::chrono::steady_clock;
    const auto since = steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

}  // namespace tern::locking::platform
