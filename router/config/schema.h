#pragma once

/// Options as rows: words, how the value is read, where it goes, what it means, what changing it
/// does. One constexpr array beside the owner of the options is all that parser, reference and
/// plan need. Rows are pure data, shared by every domain; option.h makes them.
/// A row never refers to a particular configuration.

#include <cstdint>
#include <span>
#include <string_view>

namespace tern::config {

class Parser;

/// Anything rows can write into: protocols, channels, tables, blocks within them.
struct Block {
    Block() = default;
    Block(const Block&) = default;
    Block& operator=(const Block&) = default;
    virtual ~Block() = default;
};

/// What a changed option makes necessary. Bits; a plan joins those of all changed rows.
enum class Effect : std::uint8_t {
    none = 0,             ///< taken over silently
    modify = 1,           ///< the running object is told
    reload_import = 2,    ///< routes received are filtered anew
    reload_export = 4,    ///< routes sent are filtered anew
    reload = 2 | 4,       ///< both
    restart_channel = 8,  ///< the channel goes down and up
    restart = 16,         ///< the protocol (or table) goes down and up
};

[[nodiscard]] constexpr Effect operator|(Effect a, Effect b) {
    return static_cast<Effect>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}

constexpr Effect& operator|=(Effect& a, Effect b) {
    return a = a | b;
}

[[nodiscard]] constexpr bool has(Effect set, Effect part) {
    return (static_cast<std::uint8_t>(set) & static_cast<std::uint8_t>(part)) != 0;
}

/// One word of a choice and its value.
struct Choice {
    std::string_view word;
    std::uint32_t value;
};

struct Range {
    std::uint64_t low = 0;
    std::uint64_t high = 0xffffffff;
    std::string_view complaint = {};  ///< instead of the default text
    bool or_zero = false;             ///< 0 is allowed although it is below `low`

    [[nodiscard]] constexpr bool holds(std::uint64_t value) const {
        return (value >= low && value <= high) || (or_zero && value == 0);
    }
};

struct OptionRow {
    using Parse = void (*)(Parser& parser, Block& block, const OptionRow& row);
    using Equal = bool (*)(const Block& a, const Block& b);

    std::string_view words;  ///< "hold time"; the longest row that fits wins
    std::string_view value;  ///< as the reference shows it: "SWITCH", "NUM", "on | off | aware"
    Parse parse;             ///< reads the value; the words are taken, the `;` is not
    Equal equal;             ///< null if another row compares the same member
    std::string_view default_text;
    std::string_view doc;
    Effect effect = Effect::none;
    Range range = {};
    std::span<const Choice> choices = {};
    bool available = true;  ///< false: part of the language, refused by this build unless `off`
};

using Rows = std::span<const OptionRow>;

/// The row whose words come next (the most words win), or null. Takes nothing.
[[nodiscard]] const OptionRow* find_row(Parser& parser, Rows rows);

/// Takes words and value of one statement out of any of `groups` (earlier groups win a tie).
/// Fails with a syntax error if no row fits. The `;` is left to the caller.
void parse_option(Parser& parser, Block& block, std::span<const Rows> groups);

/// `{ option; option; … }`. The left brace is next.
void parse_block(Parser& parser, Block& block, std::span<const Rows> groups);

/// Joined effects of the rows whose members differ.
[[nodiscard]] Effect compare_rows(Rows rows, const Block& a, const Block& b);

}  // namespace tern::config
