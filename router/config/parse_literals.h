#pragma once

/// Literals of the filter language: networks, sets, path masks, community constructors.
/// Split from the rest of the filter grammar for size only; everything here works on a
/// FilterGrammar, which lives for one definition. It never evaluates: the checker does.

#include "router/config/parse_filter_grammar.h"

namespace tern::config {

/// A literal if the next token begins one, else null. Networks include their length.
[[nodiscard]] filter::Expression* parse_literal(FilterGrammar& grammar);

/// After `(`: pair, extended or large community, or an expression in parentheses.
[[nodiscard]] filter::Expression* parse_parenthesis(FilterGrammar& grammar);

/// Items up to, not including, the closing token.
[[nodiscard]] std::span<filter::SetItem> parse_set_items(FilterGrammar& grammar, TokenKind close);

/// `[= ... =]`, after its first token.
[[nodiscard]] filter::Expression* parse_path_mask(FilterGrammar& grammar);

}  // namespace tern::config
