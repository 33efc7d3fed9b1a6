#include "router/config/parse_config.h"

#include "router/config/parse_top.h"
#include "router/config/system_constants.h"

#include <vector>

#include <fmt/format.h>

namespace tern::config {

namespace {

/// The statement whose words come next; the longest wins.
const Statement* find_statement(Parser& p) {
    const Statement* best = nullptr;
    for (const Statement& statement : global_statements()) {
        if (!p.at_words(statement.words)) continue;
        if (best == nullptr || statement.words.size() > best->words.size()) best = &statement;
    }
    return best;
}

/// `ipv6 sadr table`; the words are taken up to the name.
const net::NetTypeInfo* accept_table_words(Parser& p) {
    for (const net::NetTypeInfo& info : net::all_net_types()) {
        if (p.accept_words(std::string(info.table_words) + " table")) return &info;
    }
    return nullptr;
}

/// With which statements can begin.
std::vector<std::string> first_words() {
    std::vector<std::string> words;
    for (const Statement& statement : global_statements())
        words.emplace_back(statement.words.substr(0, statement.words.find(' ')));
    for (const net::NetTypeInfo& info : net::all_net_types())
        words.emplace_back(info.table_words.substr(0, info.table_words.find(' ')));
    words.emplace_back("include");
    return words;
}

void parse_statement(Parser& p) {
    const Position place = p.position();
    if (const net::NetTypeInfo* info = accept_table_words(p)) {
        if (!p.syntax().has_net_type(info->type)) {
            p.fail(place, fmt::format("Table type '{}' is not available in this build",
                                      info->table_words));
            return;
        }
        parse_table_statement(p, info->type);
        return;
    }
    const Statement* statement = find_statement(p);
    if (statement == nullptr) {
        p.fail_unexpected(first_words());
        return;
    }
    p.accept_words(statement->words);
    statement->read(p);
    if (statement->ending == Ending::semicolon) p.expect(TokenKind::semicolon);
}

void check_whole(Parser& p) {
    Config& config = p.config();
    complete_thread_groups(config);
    if (config.default_thread_group() == nullptr) p.fail("No default thread group configured");
    if (config.protocols.empty()) p.fail("No protocol is specified in the config file");
}

}  // namespace

ParsedConfig parse_config(SourceReader& reader,
                          const std::string& path,
                          const SyntaxRegistry& syntax) {
    SourceSet sources(reader);
    const Result<std::uint32_t> file = sources.open(path);
    if (!file) {
        ConfigError error;
        error.file = path;
        error.text = file.error().text;
        return tl::unexpected<ConfigError>(std::move(error));
    }
    auto config = std::make_unique<Config>(syntax, path);
    define_system_constants(*config, reader);
    Parser parser({sources, *config, syntax, config->language(), config->scope()}, *file,
                  Lexer::Mode::file);
    while (parser.ok() && !parser.at(TokenKind::end)) {
        if (parser.accept(TokenKind::semicolon)) continue;
        parse_statement(parser);
    }
    if (parser.ok()) check_whole(parser);
    if (!parser.ok()) return tl::unexpected<ConfigError>(parser.error());
    return config;
}

CommandText::CommandText(Config& running, std::string line)
    : sources_(reader_),
      file_(sources_.add_text("", std::move(line))),
      language_(running.syntax().make_language()),
      scope_(&running.scope()),
      parser_(
          {sources_, running, running.syntax(), *language_, scope_}, file_, Lexer::Mode::command) {}

}  // namespace tern::config
