#pragma once

/// Readers of the statements of the outermost level, by topic; used by parse_config() alone.
/// Each is called with its words taken, reads up to its end, and leaves an optional final `;`.
/// They write into the parser's Config and own nothing.

#include "router/config/parser.h"
#include "router/net/net_type.h"

namespace tern::config {

/// What a statement needs at its end.
enum class Ending : std::uint8_t { semicolon, optional };

struct Statement {
    std::string_view words;
    std::string_view value;  ///< as the reference shows it
    void (*read)(Parser& parser);
    Ending ending;
    std::string_view default_text;
    std::string_view doc;
};

[[nodiscard]] std::span<const Statement> global_statements();

void parse_table_statement(Parser& parser, net::NetType type);
void parse_protocol_statement(Parser& parser, bool is_template);
void parse_thread_group_statement(Parser& parser);
void parse_threads_statement(Parser& parser);
void parse_mpls_domain_statement(Parser& parser);
void parse_log_statement(Parser& parser);
void parse_memory_statement(Parser& parser);

/// Makes the implicit groups if the configuration has defined none.
void complete_thread_groups(Config& config);

}  // namespace tern::config
