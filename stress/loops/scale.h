#pragma once

/// How long a stress run is: each test states its short form, which takes about a second, and
/// TERN_STRESS in the environment gives a percentage of it: 50000 for a night, 2 under Valgrind.
/// Owned by nobody; reads the environment only. It never makes a count smaller than one.

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace tern::stress {

inline std::uint64_t scaled(std::uint64_t short_form) {
    const char* const text = std::getenv("TERN_STRESS");
    const std::uint64_t percent = text == nullptr ? 100 : std::strtoull(text, nullptr, 10);
    return std::max<std::uint64_t>(short_form * percent / 100, 1);
}

/// For numbers of things rather than of rounds: never more than the short form.
inline std::uint64_t scaled_down(std::uint64_t short_form) {
    return std::min(scaled(short_form), short_form);
}

}  // namespace tern::stress
