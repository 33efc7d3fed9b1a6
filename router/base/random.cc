#include "router/base/random.h"

#include "locking/check.h"

#include <bit>

namespace tern {

// xoshiro256**, seeded by splitmix64: public-domain algorithms of Blackman and Vigna.
Random::Random(std::uint64_t seed) {
    for (std::uint64_t& word : state_) {
        seed += 0x9e37'79b9'7f4a'7c15U;
        std::uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9U;
        z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11ebU;
        word = z ^ (z >> 31);
    }
}

std::uint64_t Random::next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

std::uint64_t Random::below(std::uint64_t bound) {
    TERN_ASSERT(bound > 0);
    // Multiplication instead of remainder; the bias is below 2^-64 * bound.
    return static_cast<std::uint64_t>(static_cast<unsigned __int128>(next()) * bound >> 64);
}

std::uint64_t Random::between(std::uint64_t low, std::uint64_t high) {
    TERN_ASSERT(low <= high);
    const std::uint64_t width = high - low + 1;
    return width == 0 ? next() : low + below(width);
}

}  // namespace tern
