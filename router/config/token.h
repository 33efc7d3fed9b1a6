#pragma once

/// The pieces a configuration text is made of.
/// Keywords are not a kind of their own: they are ordinary symbols, and the parser decides by
/// place what a word means. Literal kinds follow the language's longest-match rules.
/// A token borrows its text from the SourceSet (or command line) it was read from.

#include "router/base/result.h"

#include <cstdint>
#include <string_view>

namespace tern::config {

enum class TokenKind : std::uint8_t {
    end,                  ///< end of the text; also what a failed parser sees
    invalid,              ///< `text` is the complaint, not source text
    word,                 ///< plain or quoted symbol; keywords too; `text` without quotes
    number,               ///< decimal or 0x, value in `number`
    ip4,                  ///< a.b.c.d; value in `number`
    ip6,                  ///< valid IPv6 address
    mac,                  ///< six two-digit groups
    route_distinguisher,  ///< 65000:1, 1.2.3.4:5, 0:1:2, 1:1.2.3.4:5, 2:70000:1
    bytes,                ///< hex:… or at least ten pairs
    string,               ///< `text` without the quotes
    // Operators and brackets; order is free, names appear in punctuation_text().
    semicolon,
    comma,
    dot,
    range,  ///< ..
    colon,
    percent,
    slash,
    left_brace,
    right_brace,
    left_paren,
    right_paren,
    left_bracket,
    right_bracket,
    mask_begin,  ///< [=
    mask_end,    ///< =]
    assign,      ///< = (also comparison)
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    match,      ///< ~
    not_match,  ///< !~
    not_,       ///< !
    and_,       ///< &&
    or_,        ///< ||
    bit_and,
    bit_or,
    plus,
    concat,  ///< ++
    minus,
    star,
    arrow,  ///< ->
    question,
    empty_path,       ///< +empty+
    empty_community,  ///< -empty-
    empty_extended,   ///< --empty--
    empty_large,      ///< ---empty---
};

struct Token {
    TokenKind kind = TokenKind::end;
    bool quoted = false;  ///< a 'quoted' symbol
    Position position = {};
    std::string_view text = {};
    std::uint32_t number = 0;
};

/// How an operator is written; empty for kinds that carry text.
[[nodiscard]] std::string_view punctuation_text(TokenKind kind);

/// The name of a kind in "syntax error" messages: NUM, TEXT, ';' …
[[nodiscard]] std::string_view token_name(TokenKind kind);

}  // namespace tern::config
