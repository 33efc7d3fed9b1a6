#include "router/config/spelling.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace tern::config {

namespace {

constexpr std::size_t word_max = 32;
constexpr std::size_t two_slips_from = 6;

using Row = std::array<std::size_t, word_max + 1>;

/// Insertions, deletions, replacements and swaps of neighbours that make one word the other.
std::size_t distance(std::string_view a, std::string_view b) {
    Row before_last{};
    Row last{};
    Row now{};
    for (std::size_t j = 0; j <= b.size(); ++j)
        now[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        before_last = last;
        last = now;
        now[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            now[j] = std::min({last[j] + 1, now[j - 1] + 1, replaced});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) now[j] = std::min(now[j], before_last[j - 2] + 1);
        }
    }
    return now[b.size()];
}

}  // namespace

std::string_view closest_word(std::string_view word, std::span<const std::string_view> known) {
    if (word.size() < 2 || word.size() > word_max) return {};
    std::size_t best = word.size() >= two_slips_from ? 3 : 2;
    std::string_view found;
    for (const std::string_view candidate : known) {
        if (candidate.size() > word_max || candidate == word) continue;
        const std::size_t slips = distance(word, candidate);
        if (slips >= best || slips >= candidate.size()) continue;
        best = slips;
        found = candidate;
    }
    return found;
}

}  // namespace tern::config
