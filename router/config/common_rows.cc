#include "router/config/values.h"

#include <array>

namespace tern::config {

namespace {

void read_table(Parser& parser, ChannelConfig& channel, const OptionRow& row) {
    static_cast<void>(row);
    const Position place = parser.position();
    TableConfig* table = parse_table(parser);
    if (table == nullptr) return;
    if (channel.type_from_table) {
        channel.type = table->type;
    } else if (table->type != channel.type) {
        parser.fail(place, "Incompatible table type");
        return;
    }
    channel.table = table;
}

void read_import(Parser& parser, ChannelConfig& channel, const OptionRow& row) {
    static_cast<void>(row);
    channel.import_filter = parse_filter_option(parser);
    channel.import_in.reset();
    channel.import_set = true;
}

std::optional<net::Prefix> read_prefilter(Parser& parser, const ChannelConfig& channel) {
    const Position place = parser.position();
    const net::Prefix prefix = parse_prefix_option(parser);
    if (parser.ok() && !channel.type_from_table && prefix.type() != channel.type) {
        parser.fail(place, "Incompatible export prefilter type");
    }
    return prefix;
}

void read_export(Parser& parser, ChannelConfig& channel, const OptionRow& row) {
    static_cast<void>(row);
    channel.export_in.reset();
    if (parser.accept("in")) channel.export_in = read_prefilter(parser, channel);
    channel.export_filter = parse_filter_option(parser);
    channel.export_set = true;
}

template <Limit ChannelConfig::*Member>
void read_limit(Parser& parser, ChannelConfig& channel, const OptionRow& row) {
    static_cast<void>(row);
    channel.*Member = parse_limit(parser);
}

template <class Owner, auto Member>
void read_trace(Parser& parser, Owner& owner, const OptionRow& row) {
    static_cast<void>(row);
    owner.*Member = parse_trace(parser);
}

template <class Owner, auto Member>
void read_settle(Parser& parser, Owner& owner, const OptionRow& row) {
    static_cast<void>(row);
    owner.*Member = parse_settle(parser);
}

template <class Owner>
void read_thread_group(Parser& parser, Owner& owner, const OptionRow& row) {
    static_cast<void>(row);
    owner.thread_group = parse_thread_group_name(parser);
}

void read_vrf(Parser& parser, ProtocolConfig& protocol, const OptionRow& row) {
    static_cast<void>(row);
    protocol.vrf.clear();
    if (parser.accept("default")) {
        protocol.vrf_kind = VrfKind::default_;
        return;
    }
    protocol.vrf_kind = VrfKind::named;
    protocol.vrf = parser.text();
}

void read_router_id(Parser& parser, ProtocolConfig& protocol, const OptionRow& row) {
    static_cast<void>(row);
    protocol.router_id = RouterId(parser.identifier());
}

void read_trie(Parser& parser, TableConfig& table, const OptionRow& row) {
    static_cast<void>(row);
    const Position place = parser.position();
    table.trie = parser.boolean();
    switch (table.type) {
        case net::NetType::flow4:
        case net::NetType::flow6:
        case net::NetType::eth:
        case net::NetType::mpls:
        case net::NetType::aspa:
        case net::NetType::evpn:
        case net::NetType::neighbor:
            parser.fail(place, "Trie option not supported for " +
                                   std::string(net::info(table.type).table_words) + " table");
            return;
        case net::NetType::ip4:
        case net::NetType::ip6:
        case net::NetType::vpn4:
        case net::NetType::vpn6:
        case net::NetType::roa4:
        case net::NetType::roa6:
        case net::NetType::ip6_sadr:
            return;
    }
}

using C = ChannelConfig;
using P = ProtocolConfig;
using T = TableConfig;

/// A mask of the language that this build cannot obey.
constexpr OptionRow only_off(std::string_view words, std::string_view doc, OptionRow::Parse parse) {
    OptionRow row{words, "MASK", parse, nullptr, "off", doc};
    row.available = false;
    return row;
}

void refuse_mrtdump(Parser& parser, Block&, const OptionRow& row) {
    refuse_unless_off(parser, mrt_words(), row.words);
}

void refuse_trace(Parser& parser, Block&, const OptionRow& row) {
    refuse_unless_off(parser, trace_words(), row.words);
}

// `import`, `export` have no comparison here: filters are compared by the plan.
constexpr OptionRow uncompared(OptionRow row) {
    row.equal = nullptr;
    return row;
}

constexpr std::array channel_option_rows = {
    option::custom<&C::table, read_table>(
        "table",
        "TABLE",
        {"master4, master6 or the first table of the type", "table the routes go to and come from",
         Effect::restart_channel}),
    uncompared(option::custom<&C::import_set, read_import>(
        "import",
        "FILTER",
        {"all", "which routes of the protocol enter the table", Effect::reload_import})),
    uncompared(option::custom<&C::export_set, read_export>(
        "export",
        "[in PREFIX] FILTER",
        {"none", "which routes of the table are given to the protocol", Effect::reload_export})),
    option::number<&C::preference>(
        "preference",
        {0, 65535, "Invalid preference"},
        {"by protocol", "preference of imported routes", Effect::reload_import}),
    option::flag<&C::keep_filtered>(
        "import keep filtered",
        {"off", "keep rejected routes in the table, hidden", Effect::reload_import}),
    option::custom<&C::receive_limit, read_limit<&C::receive_limit>>(
        "receive limit",
        "LIMIT",
        {"off", "bound for routes received, before the filter", Effect::modify}),
    option::custom<&C::import_limit, read_limit<&C::import_limit>>(
        "import limit", "LIMIT", {"off", "bound for routes accepted", Effect::modify}),
    option::custom<&C::export_limit, read_limit<&C::export_limit>>(
        "export limit", "LIMIT", {"off", "bound for routes exported", Effect::modify}),
    option::flag<&C::rpki_reload>(
        "rpki reload",
        {"on", "filter anew when ROA or ASPA tables change that the filters ask", Effect::modify}),
    option::custom<&C::debug, read_trace<C, &C::debug>>(
        "debug", "MASK", {"debug channels", "what is traced of the channel", Effect::modify}),
};

constexpr std::array protocol_option_rows = {
    option::flag<&P::disabled>("disabled", {"off", "do not start it", Effect::modify}),
    option::time<&P::restart_time>(
        "restart time",
        option::any_time,
        {"5 s", "an automatic restart sooner than this disables instead", Effect::modify}),
    option::custom<&P::debug, read_trace<P, &P::debug>>(
        "debug", "MASK", {"debug protocols", "what is traced of the protocol", Effect::modify}),
    only_off("mrtdump", "what goes to the MRT file", refuse_mrtdump),
    option::custom<&P::router_id, read_router_id>(
        "router id",
        "NUM | IPv4",
        {"the global one", "router id of this protocol", Effect::restart}),
    option::text<&P::hostname>("hostname",
                               {"the global one", "host name of this protocol", Effect::restart}),
    option::text<&P::description>("description",
                                  {"", "free text for `show protocols all`", Effect::modify}),
    option::custom<&P::vrf, read_vrf>(
        "vrf",
        "\"NAME\" | default",
        {"any", "only interfaces and sockets of this VRF", Effect::restart}),
    option::custom<&P::thread_group, read_thread_group<P>>(
        "thread group", "NAME", {"the default group", "threads that run it", Effect::restart}),
};

constexpr std::array table_option_rows = {
    option::flag<&T::sorted>("sorted",
                             {"off", "keep all routes of a net in order", Effect::restart}),
    option::custom<&T::trie, read_trie>("trie",
                                        "SWITCH",
                                        {"off",
                                         "nothing: tables answer longest-match and interval "
                                         "questions anyway",
                                         Effect::restart}),
    option::number<&T::gc_threshold>(
        "gc threshold", {}, {"1000", "removed nets that start a clean-up", Effect::modify}),
    option::time<&T::gc_period>("gc period",
                                {0, 3'600'000'000, "GC period must be at most 3600 s"},
                                {"at once",
                                 "longest time until removed nets are given back; they are as "
                                 "soon as nobody reads them",
                                 Effect::modify}),
    option::unavailable("cork threshold", "pending exports that resume and pause imports"),
    option::custom<&T::export_settle, read_settle<T, &T::export_settle>>(
        "export settle time",
        "TIME TIME",
        {"1 ms 100 ms", "batching of announcements", Effect::modify}),
    option::custom<&T::refresh_settle, read_settle<T, &T::refresh_settle>>(
        "route refresh export settle time",
        "TIME TIME",
        {"100 ms 3 s", "batching while a channel of the table refreshes", Effect::modify}),
    option::unavailable("digest settle time", "batching of changes for rpki reload"),
    only_off("debug", "what is traced of the table", refuse_trace),
    option::unavailable("thread group", "threads that maintain it"),
};

}  // namespace

void read_import_in(Parser& parser, ChannelConfig& channel, const OptionRow& row) {
    const std::optional<net::Prefix> prefix = read_prefilter(parser, channel);
    read_import(parser, channel, row);
    channel.import_in = prefix;
}

Rows channel_rows() {
    return channel_option_rows;
}

Rows protocol_rows() {
    return protocol_option_rows;
}

Rows table_rows() {
    return table_option_rows;
}

}  // namespace tern::config
