#pragma once

/// Readers of values that several owners of options share: filters, limits, tables, patterns.
/// Each reads what follows the option's words and leaves the `;`. On failure the parser has the
/// complaint and the result is empty. Rows for all channels, protocols and tables are here too.

#include "router/config/option.h"
#include "router/config/parser.h"
#include "router/config/protocol_config.h"

namespace tern::config {

/// `all | none | filter NAME | filter { … } | where EXPR`.
const filter::Filter* parse_filter_option(Parser& parser);

/// `N | off [action A]`.
Limit parse_limit(Parser& parser);

/// A table by name; marks it used.
TableConfig* parse_table(Parser& parser);

/// `IP/LEN` as an option takes it.
net::Prefix parse_prefix_option(Parser& parser);

/// Two times, the first not above the second.
Settle parse_settle(Parser& parser);

/// `all | off | { states, routes, … }`.
TraceMask parse_trace(Parser& parser);

/// `all | off | { word, word … }` over any list; the joined values.
std::uint32_t parse_mask(Parser& parser, std::span<const Choice> words);

[[nodiscard]] std::span<const Choice> trace_words();
[[nodiscard]] std::span<const Choice> mrt_words();

/// "Option 'x' is not available in this build".
void fail_unavailable(Parser& parser, Position place, std::string_view option);

/// A mask that this build cannot obey: only `off` (or nothing in the braces) passes.
void refuse_unless_off(Parser& parser, std::span<const Choice> words, std::string_view option);

/// Comma-separated clauses, up to the block or `;`. Prefixes only where the protocol has a use.
InterfacePattern parse_interface_pattern(Parser& parser, bool with_prefixes);

const ThreadGroupConfig* parse_thread_group_name(Parser& parser);

/// The word or 'quoted word' behind `%` of a scoped address, or a string.
std::string parse_scope(Parser& parser);

/// Parsers for rows of the pipe: `import in PFX FILTER`.
void read_import_in(Parser& parser, ChannelConfig& channel, const OptionRow& row);

[[nodiscard]] Rows channel_rows();
[[nodiscard]] Rows protocol_rows();
[[nodiscard]] Rows table_rows();
[[nodiscard]] Rows thread_group_rows();
[[nodiscard]] Rows memory_rows();

}  // namespace tern::config
