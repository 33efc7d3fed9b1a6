#pragma once
/// The command `show route`: its arguments, and the answer as a LongReply that walks tables in
/// steps. Used in the main loop. A step copies a bounded piece of a table under its domain and
/// prints it without; it stops when the output is full. What it needs of the router comes through
/// `ShowRouteServices`, so that this folder knows no protocol, channel or session.

#include "router/attr/attribute_def.h"
#include "router/attr/attribute_list.h"
#include "router/base/result.h"
#include "router/base/time_format.h"
#include "router/cli/command.h"
#include "router/config/parse_config.h"
#include "router/filter/environment.h"
#include "router/filter/filter.h"
#include "router/iface/registry.h"
#include "router/table/table.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tern::table {

/// What `show route export P` and its kin ask.
enum class ExportKind : std::uint8_t {
    export_,    ///< what P would be given
    preexport,  ///< what reaches P's export filter
    noexport,   ///< what reaches P's export filter and does not pass it
    exported,   ///< what P has been given
};

/// Answers for one channel of one protocol; made per command, used in the main loop.
class ExportQuery {
  public:
    ExportQuery() = default;
    ExportQuery(const ExportQuery&) = delete;
    ExportQuery& operator=(const ExportQuery&) = delete;
    virtual ~ExportQuery() = default;

    /// The table that the channel exports from.
    [[nodiscard]] virtual std::string table() const = 0;
    /// The channel exports all routes of a prefix, not only the best one.
    [[nodiscard]] virtual bool all_routes() const = 0;

    struct Question {
        const net::Prefix& prefix;
        const RouteValue& route;
        const SourceOwner& owner;
    };

    /// Whether the route is to be shown; the export filter's changes go into `attributes`. False
    /// also if the protocol is gone.
    [[nodiscard]] virtual bool shows(const Question& question, attr::AttributeList& attributes) = 0;
};

/// What the command asks of the router.
class ShowRouteHost {
  public:
    /// Null if there is none (any more).
    [[nodiscard]] virtual Table* find_table(std::string_view name) = 0;
    /// In the order of the configuration.
    [[nodiscard]] virtual std::vector<Table*> all_tables() = 0;
    /// The first table of each net type.
    [[nodiscard]] virtual std::vector<Table*> default_tables() = 0;
    /// What the channel `PROTOCOL.CHANNEL` has received, by that name; null if it keeps nothing.
    /// find_table() knows it by the same name.
    [[nodiscard]] virtual Table* received_table(std::string_view name) = 0;
    /// Tables of the channels of a protocol; nothing if there is no such protocol.
    [[nodiscard]] virtual std::optional<std::vector<Table*>> protocol_tables(
        std::string_view protocol) = 0;

    /// `channel` empty: all channels that export; the errors are those of the reference.
    struct ExportRequest {
        ExportKind kind;
        std::string_view protocol;
        std::string_view channel;
    };

    [[nodiscard]] virtual Result<std::vector<std::unique_ptr<ExportQuery>>> export_queries(
        const ExportRequest& request) = 0;

  protected:
    ~ShowRouteHost() = default;
};

/// All of it outlives the reply.
struct ShowRouteServices {
    ShowRouteHost& host;
    const attr::AttributeRegistry& attributes;
    const iface::Registry& interfaces;
    filter::Environment& environment;
    const loops::Clock& clock;
};

struct ShowRouteRequest {
    enum class Match : std::uint8_t { all, exact, longest, inside };
    enum class Totals : std::uint8_t { none, stats, count };

    struct Source {
        std::string table;
        bool chosen = false;                 ///< by name: its heading is shown even without routes
        std::string title = {};              ///< instead of the table's name
        std::unique_ptr<ExportQuery> query;  ///< null: all that is in the table
    };

    Match match = Match::all;
    net::Prefix prefix;
    std::vector<Source> sources;
    std::string protocol;                    ///< only routes of it; empty: all
    const filter::Filter* filter = nullptr;  ///< lives in the CommandText
    bool attributes = false;                 ///< `all`
    bool primary = false;
    bool filtered = false;
    Totals totals = Totals::none;
    TimeFormat time_format;      ///< the caller's
    bool v2_attributes = false;  ///< likewise
};

/// Reads the arguments up to the end of the line.
[[nodiscard]] Result<ShowRouteRequest> parse_show_route(config::Parser& parser,
                                                        ShowRouteHost& host);

/// The answer. `text` is what the request was parsed from.
[[nodiscard]] std::unique_ptr<cli::LongReply> make_show_route(
    ShowRouteRequest request,
    std::unique_ptr<config::CommandText> text,
    const ShowRouteServices& services);

}  // namespace tern::table
