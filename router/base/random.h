#pragma once

/// Seeded random numbers. Every user has a generator of its own, made from a seed that its owner
/// was given, so that a run can be repeated. Not for secrets: keys and cookies come from crypto.
/// A value type; never shared between loops.

#include <array>
#include <cstdint>

namespace tern {

class Random {
  public:
    using result_type = std::uint64_t;

    explicit Random(std::uint64_t seed);

    std::uint64_t next();

    /// Uniform in [0, bound); bound > 0.
    std::uint64_t below(std::uint64_t bound);
    /// Uniform in [low, high].
    std::uint64_t between(std::uint64_t low, std::uint64_t high);

    std::uint32_t u32() { return static_cast<std::uint32_t>(next() >> 32); }

    /// True once in `n` calls on average; n > 0.
    bool one_in(std::uint64_t n) { return below(n) == 0; }

    /// For std::shuffle.
    std::uint64_t operator()() { return next(); }

    static constexpr std::uint64_t min() { return 0; }

    static constexpr std::uint64_t max() { return ~std::uint64_t{0}; }

  private:
    std::array<std::uint64_t, 4> state_;
};

}  // namespace tern
