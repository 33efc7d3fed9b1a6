#pragma once
/// Makes a failing input small: what can be left out is, and what can be zero is. Used by smoke.cc
/// for what it finds, and of use to any test whose input is bytes. Pure; `fails` runs an input and
/// says whether it still fails, as often as it takes, which is bounded. It never makes an input
/// larger.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tern::fuzz {

using Input = std::vector<std::uint8_t>;

/// `runs`: at most so many.
template <class Fails>
Input shrink(Input input, unsigned runs, Fails&& fails) {
    const auto try_it = [&](Input&& smaller) {
        if (runs == 0 || !fails(smaller)) return false;
        input = std::move(smaller);
        return true;
    };
    // Chunks, from halves down to bytes; a round of bytes again as long as it helps.
    for (std::size_t chunk = (input.size() + 1) / 2; chunk > 0;) {
        bool helped = false;
        for (std::size_t at = 0; at < input.size() && runs > 0; --runs) {
            Input smaller = input;
            const auto from = smaller.begin() + static_cast<std::ptrdiff_t>(at);
            const std::size_t count = std::min(chunk, input.size() - at);
            smaller.erase(from, from + static_cast<std::ptrdiff_t>(count));
            if (try_it(std::move(smaller))) {
                helped = true;
            } else {
                at += chunk;
            }
        }
        if (chunk > 1) {
            chunk /= 2;
        } else if (!helped) {
            break;
        }
    }
    for (std::size_t at = 0; at < input.size() && runs > 0; ++at) {
        if (input[at] == 0) continue;
        Input smaller = input;
        smaller[at] = 0;
        --runs;
        try_it(std::move(smaller));
    }
    return input;
}

}  // namespace tern::fuzz
