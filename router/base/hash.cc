#include "router/base/hash.h"

namespace tern {

namespace {

std::uint64_t raw64(const std::uint8_t* at) {
    std::uint64_t v = 0;
    std::memcpy(&v, at, sizeof v);
    return v;
}

/// Up to 8 bytes, shorter ones padded with zeros.
std::uint64_t raw_tail(const std::uint8_t* at, std::size_t size) {
    std::uint64_t v = 0;
    if (size >= 4) {
        std::uint32_t low = 0;
        std::uint32_t high = 0;
        std::memcpy(&low, at, 4);
        std::memcpy(&high, at + size - 4, 4);
        return std::uint64_t{high} << 32 | low;
    }
    for (std::size_t i = 0; i < size; ++i)
        v = v << 8 | at[i];
    return v;
}

}  // namespace

std::uint64_t hash_bytes(Bytes bytes, std::uint64_t seed) {
    const std::uint8_t* at = bytes.data();
    std::size_t left = bytes.size();
    std::uint64_t hash = seed ^ left;
    while (left > 16) {
        hash = mix64(raw64(at) ^ hash, raw64(at + 8));
        at += 16;
        left -= 16;
    }
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    if (left > 8) {
        a = raw64(at);
        b = raw64(at + left - 8);
    } else if (left > 0) {
        a = raw_tail(at, left);
    }
    return mix64(mix64(a ^ hash, b), bytes.size());
}

}  // namespace tern
