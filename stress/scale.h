#pragma once

/// How long a stress run is: each test states its short form, which takes about a second, and
/// TERN_STRESS in the environment gives a percentage of it: 50000 for a night, 2 under Valgrind.
/// TERN_SEED begins the random ones elsewhere; they print it when they fail.
/// Owned by nobody; reads the environment only. It never makes a count smaller than one.

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace tern::stress {

inline std::uint64_t from_environment(const char* variable, std::uint64_t usual) {
    const char* const text = std::getenv(variable);
    return text == nullptr ? usual : std::strtoull(text, nullptr, 10);
}

inline std::uint64_t scaled(std::uint64_t short_form) {
    return std::max<std::uint64_t>(short_form * from_environment("TERN_STRESS", 100) / 100, 1);
}

/// For numbers of things rather than of rounds: a long run has more of them, up to `most`.
inline std::uint64_t scaled_to(std::uint64_t short_form, std::uint64_t most) {
    return std::min(scaled(short_form), most);
}

/// The same for numbers that a long run leaves alone: never more than the short form.
inline std::uint64_t scaled_down(std::uint64_t short_form) {
    return scaled_to(short_form, short_form);
}

inline std::uint64_t seed() {
    return from_environment("TERN_SEED", 1);
}

}  // namespace tern::stress
