#include "router/config/parser.h"
#include "router/config/values.h"
#include "router/table/show_route.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace tern::table {
namespace {

using config::Parser;
using config::TokenKind;
using Request = ShowRouteRequest;

struct ExportWord {
    std::string_view word;
    ExportKind kind;
};

constexpr std::array<ExportWord, 4> export_words = {{{"export", ExportKind::export_},
                                                     {"preexport", ExportKind::preexport},
                                                     {"noexport", ExportKind::noexport},
                                                     {"exported", ExportKind::exported}}};

/// Reads one command line.
class ArgumentReader {
  public:
    ArgumentReader(Parser& parser, ShowRouteHost& host) : parser_(parser), host_(host) {}

    Result<Request> read() {
        while (parser_.ok() && !parser_.at(TokenKind::end))
            read_argument();
        if (parser_.ok()) choose_tables();
        if (!parser_.ok()) return fail(parser_.error().text);
        return std::move(request_);
    }

  private:
    void read_argument() {
        if (parser_.accept("all")) {
            request_.attributes = true;
        } else if (parser_.accept("primary")) {
            request_.primary = true;
        } else if (parser_.accept("filtered")) {
            request_.filtered = true;
        } else if (parser_.accept("stats")) {
            request_.totals = Request::Totals::stats;
        } else if (parser_.accept("count")) {
            request_.totals = Request::Totals::count;
        } else if (parser_.accept("table")) {
            read_table();
        } else if (parser_.accept("protocol")) {
            read_protocol();
        } else if (parser_.at("filter") || parser_.at("where")) {
            read_filter();
        } else if (parser_.at_words("import table") || parser_.at_words("export table")) {
            read_mirror_table();
        } else if (!read_export()) {
            read_network();
        }
    }

    void read_table() {
        if (parser_.accept("all")) {
            all_tables_ = true;
            return;
        }
        const config::Symbol* symbol = parser_.peek_symbol();
        if (symbol == nullptr) {
            parser_.fail_unexpected({"CF_SYM_KNOWN", "ALL"});
            return;
        }
        if (symbol->kind != config::SymbolClass::table) {
            parser_.fail("Table name required");
            return;
        }
        tables_.emplace_back(parser_.take().text);
    }

    void read_protocol() {
        const config::Token name = parser_.expect_name();
        if (!parser_.ok()) return;
        if (!request_.protocol.empty()) {
            parser_.fail("Protocol specified twice");
        } else {
            request_.protocol = name.text;
        }
    }

    void read_filter() {
        const Position place = parser_.position();
        if (request_.filter != nullptr) {
            parser_.fail(place, "Filter specified twice");
            return;
        }
        request_.filter = parser_.language().parse_filter_use(parser_);
    }

    /// What is sent is kept by no channel.
    void read_mirror_table() {
        const bool import = parser_.take().text == "import";
        parser_.take();
        const std::string name = read_channel_name();
        if (!parser_.ok()) return;
        if (import && host_.received_table(name) != nullptr) {
            received_ = name;
            return;
        }
        parser_.fail(fmt::format("No {} table in channel {}", import ? "import" : "export", name));
    }

    std::string read_channel_name() {
        std::string name(parser_.expect_name().text);
        if (parser_.accept(TokenKind::dot)) name += "." + std::string(parser_.expect_name().text);
        return name;
    }

    bool read_export() {
        for (const ExportWord& each : export_words) {
            if (!parser_.accept(each.word)) continue;
            if (export_kind_) {
                parser_.fail("Export specified twice");
                return true;
            }
            export_kind_ = each.kind;
            export_protocol_ = parser_.expect_name().text;
            if (parser_.accept(TokenKind::dot)) export_channel_ = parser_.expect_name().text;
            return true;
        }
        return false;
    }

    void read_network() {
        const Position place = parser_.position();
        if (request_.match != Request::Match::all) {
            parser_.fail(place, "Only one prefix expected");
        } else if (parser_.accept("in")) {
            request_.match = Request::Match::inside;
            request_.prefix = config::parse_prefix_option(parser_);
        } else if (parser_.accept("for")) {
            request_.match = Request::Match::longest;
            read_target();
        } else if (parser_.at(TokenKind::ip4) || parser_.at(TokenKind::ip6) ||
                   parser_.at(TokenKind::left_paren) || parser_.peek_symbol() != nullptr) {
            request_.match = Request::Match::exact;
            request_.prefix = config::parse_prefix_option(parser_);
        } else {
            parser_.fail_unexpected({});
        }
    }

    /// An address, a network, or a constant of either.
    void read_target() {
        const bool literal = parser_.at(TokenKind::ip4) || parser_.at(TokenKind::ip6);
        if (literal && parser_.peek(1).kind != TokenKind::slash) {
            request_.prefix = net::Prefix::host(parser_.address());
            return;
        }
        if (literal) {
            request_.prefix = config::parse_prefix_option(parser_);
            return;
        }
        const Position place = parser_.position();
        const attr::Value value = parser_.language().parse_constant(parser_);
        if (value.is(attr::ValueType::prefix)) {
            request_.prefix = value.prefix();
        } else if (value.is(attr::ValueType::ip)) {
            request_.prefix = net::Prefix::host(value.ip());
        } else {
            parser_.fail(place, "IP address or network expected");
        }
    }

    void add(Table& table, bool chosen) {
        if (request_.match != Request::Match::all && table.type() != request_.prefix.type()) {
            if (chosen) {
                parser_.fail(
                    fmt::format("Incompatible type of prefix/ip for table {}", table.name()));
            }
            return;
        }
        request_.sources.push_back({table.name(), chosen, {}, nullptr});
    }

    void add(const std::vector<Table*>& tables) {
        for (Table* table : tables) {
            const bool known =
                std::any_of(request_.sources.begin(), request_.sources.end(),
                            [&](const Request::Source& s) { return s.table == table->name(); });
            if (!known) add(*table, false);
        }
    }

    void choose_tables() {
        std::optional<std::vector<Table*>> of_protocol;
        if (!request_.protocol.empty()) {
            of_protocol = host_.protocol_tables(request_.protocol);
            if (!of_protocol) {
                parser_.fail(fmt::format("{} is not a protocol", request_.protocol));
                return;
            }
        }
        if (export_kind_) {
            choose_exports();
        } else if (!received_.empty()) {
            choose_received();
        } else if (!tables_.empty() || all_tables_) {
            for (const std::string& name : tables_) {
                Table* table = host_.find_table(name);
                if (table == nullptr) {
                    parser_.fail(fmt::format("Table {} does not exist", name));
                    return;
                }
                add(*table, true);
            }
            if (all_tables_) add(host_.all_tables());
        } else if (of_protocol && !of_protocol->empty()) {
            add(*of_protocol);
        } else {
            add(host_.default_tables());
        }
        if (parser_.ok() && request_.sources.empty()) parser_.fail("No valid tables");
    }

    void choose_received() {
        Table* table = host_.received_table(received_);
        if (table == nullptr) return;
        add(*table, true);
        if (parser_.ok()) request_.sources.back().title = "import";
    }

    void choose_exports() {
        auto queries = host_.export_queries({*export_kind_, export_protocol_, export_channel_});
        if (!queries) {
            parser_.fail(queries.error().text);
            return;
        }
        for (std::unique_ptr<ExportQuery>& query : *queries) {
            const std::string name = query->table();
            const bool wanted =
                tables_.empty() || std::find(tables_.begin(), tables_.end(), name) != tables_.end();
            Table* table = wanted ? host_.find_table(name) : nullptr;
            if (table == nullptr) continue;
            const std::size_t before = request_.sources.size();
            add(*table, false);
            if (request_.sources.size() > before) request_.sources.back().query = std::move(query);
        }
    }

    Parser& parser_;
    ShowRouteHost& host_;
    Request request_;
    std::vector<std::string> tables_;
    bool all_tables_ = false;
    std::optional<ExportKind> export_kind_;
    std::string export_protocol_;
    std::string export_channel_;
    std::string received_;  // channel whose received routes are asked for
};

}  // namespace

Result<ShowRouteRequest> parse_show_route(config::Parser& parser, ShowRouteHost& host) {
    return ArgumentReader(parser, host).read();
}

}  // namespace tern::table
