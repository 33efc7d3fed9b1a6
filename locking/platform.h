#pragma once

/// What the library wants of the kernel, and all that it wants: sleeping on a word, one barrier in
/// all threads of the process, and who a thread is.
/// One file per system implements it (platform_linux.cc; platform_portable.cc with the C++ library
/// alone). Private to the toolkit. Nothing here allocates, and all but sleep_on() may be called
/// from a signal handler.

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tern::locking::platform {

/// Waiters may stand on one of several channels of a word; a wake-up names the channels it is for.
inline constexpr std::uint32_t all_channels = ~std::uint32_t{0};
inline constexpr std::uint64_t no_limit = ~std::uint64_t{0};

/// Sleeps while `word` is `seen`, at most `limit_ns`; may also return for no reason.
void sleep_on(std::atomic<std::uint32_t>& word,
              std::uint32_t seen,
              std::uint32_t channels,
              std::uint64_t limit_ns) noexcept;

/// Wakes one or all sleepers of the channels. The word may be gone: only its address is used.
void wake_one(std::atomic<std::uint32_t>& word, std::uint32_t channels) noexcept;
void wake_all(std::atomic<std::uint32_t>& word) noexcept;

/// Whether barrier_in_all_threads() works; call it once before.
bool register_barrier() noexcept;

/// A full fence in every thread of the process that is running now.
void barrier_in_all_threads() noexcept;

/// A full fence in this thread.
void full_fence() noexcept;

/// The number under which the system and its tools know this thread.
std::uint32_t thread_id() noexcept;

/// Writes the name of a thread of this process, at most `room` bytes; returns its length, 0 if the
/// system does not tell.
std::size_t thread_name(std::uint32_t id, char* out, std::size_t room) noexcept;

/// Monotonic time in nanoseconds.
std::uint64_t now_ns() noexcept;

}  // namespace tern::locking::platform
