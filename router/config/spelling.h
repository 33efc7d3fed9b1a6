#pragma once

/// What a writer of a configuration may have meant: the nearest known word to one that is not known
/// (did-you-mean), by edit distance with swapped neighbours as one slip.
/// Pure. Only for messages; nothing is ever corrected by itself.

#include <span>
#include <string_view>

namespace tern::config {

/// Empty if none is near enough: one slip for short words, two from six letters on.
[[nodiscard]] std::string_view closest_word(std::string_view word,
                                            std::span<const std::string_view> known);

}  // namespace tern::config
