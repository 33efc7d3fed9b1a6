#include "router/daemon/show_route_host.h"

#include "router/daemon/router.h"

#include <fmt/format.h>

namespace tern::daemon {

namespace {

/// Asks one channel, by name, so that a protocol that goes meanwhile only ends the answer.
class ChannelQuery final : public table::ExportQuery {
  public:
    ChannelQuery(Router& router,
                 table::ExportKind kind,
                 std::string protocol,
                 const channel::Channel& channel)
        : router_(router),
          kind_(kind),
          protocol_(std::move(protocol)),
          channel_(channel.name()),
          secondary_(channel.config().secondary),
          table_(channel.table().name()) {}

    [[nodiscard]] std::string table() const override { return table_; }

    /// With `secondary` the route that is told need not be the best.
    [[nodiscard]] bool all_routes() const override { return secondary_; }

    [[nodiscard]] bool shows(const Question& question, attr::AttributeList& attributes) override {
        bool shown = false;
        router_.supervisor().with_instance(protocol_, [&](engine::Instance& instance) {
            channel::Channel* channel = instance.channel(channel_);
            if (channel == nullptr || instance.protocol() == nullptr) return;
            shown = ask(instance, *channel, question, attributes);
        });
        return shown;
    }

  private:
    bool ask(engine::Instance& instance,
             channel::Channel& channel,
             const Question& question,
             attr::AttributeList& attributes) {
        const bool own = &question.owner == instance.owner();
        const bool offered =
            !own && instance.protocol()->may_export(channel, question.route, question.owner);
        if (kind_ == table::ExportKind::preexport) return offered;
        const std::optional<bool> told =
            instance.protocol()->has_exported(channel, question.route.prefix);
        if (kind_ == table::ExportKind::exported) return told.value_or(false);
        // What the filter makes of the attributes is shown; what it says is only a guess at what
        // has been told.
        const bool accepted = offered && passes(channel, question, attributes);
        if (kind_ == table::ExportKind::noexport) return offered && !told.value_or(accepted);
        return secondary_ ? told_as_first(question, told, accepted) : told.value_or(accepted);
    }

    /// Of a prefix that has been told it is the first route that passes.
    bool told_as_first(const Question& question, std::optional<bool> told, bool accepted) {
        if (!accepted || !told.value_or(true) || question.route.prefix == last_) return false;
        last_ = question.route.prefix;
        return true;
    }

    bool passes(const channel::Channel& channel,
                const Question& question,
                attr::AttributeList& attributes) const {
        const filter::Filter* filter = channel.config().export_filter;
        if (filter == nullptr || filter->is_reject_all()) return false;
        if (filter->is_accept_all()) return true;
        const filter::RouteFacts facts{.protocol = question.owner.protocol_name(),
                                       .from = question.owner.from(),
                                       .source = question.owner.source_kind(),
                                       .preference = question.route.preference};
        filter::RouteView view(attributes, question.prefix, facts);
        return filter->run(view, channel.filter_environment()) == filter::Verdict::accept;
    }

    Router& router_;
    table::ExportKind kind_;
    std::string protocol_;
    std::string channel_;
    bool secondary_;
    std::string table_;
    std::optional<net::PrefixId> last_;  // shown last
};

}  // namespace

/// Names of tables have no dot, those of channels have one.
table::Table* RouterShowHost::find_table(std::string_view name) {
    if (name.find('.') != std::string_view::npos) return received_table(name);
    return router_.supervisor().find(name);
}

/// The table goes when its instance starts again or ends, both in this loop: it stays for the
/// caller's step.
table::Table* RouterShowHost::received_table(std::string_view name) {
    const std::size_t dot = name.find('.');
    if (dot == std::string_view::npos) return nullptr;
    table::Table* found = nullptr;
    router_.supervisor().with_instance(name.substr(0, dot), [&](engine::Instance& instance) {
        if (channel::Channel* channel = instance.channel(name.substr(dot + 1))) {
            found = channel->received();
        }
    });
    return found;
}

std::vector<table::Table*> RouterShowHost::all_tables() {
    std::vector<table::Table*> tables;
    for (const auto& config : router_.configurator().running()->tables) {
        if (table::Table* found = find_table(config->name)) tables.push_back(found);
    }
    return tables;
}

std::vector<table::Table*> RouterShowHost::default_tables() {
    std::vector<table::Table*> tables;
    for (const net::NetType type : {net::NetType::ip4, net::NetType::ip6}) {
        const config::TableConfig* config = router_.configurator().running()->default_table(type);
        if (config == nullptr) continue;
        if (table::Table* found = find_table(config->name)) tables.push_back(found);
    }
    return tables;
}

std::optional<std::vector<table::Table*>> RouterShowHost::protocol_tables(
    std::string_view protocol) {
    const config::ProtocolConfig* config =
        router_.configurator().running()->find_protocol(protocol);
    if (config == nullptr) return std::nullopt;
    std::vector<table::Table*> tables;
    for (const auto& channel : config->channels) {
        table::Table* found = find_table(channel->table->name);
        if (found == nullptr) continue;
        if (std::find(tables.begin(), tables.end(), found) == tables.end()) tables.push_back(found);
    }
    return tables;
}

Result<std::vector<std::unique_ptr<table::ExportQuery>>> RouterShowHost::export_queries(
    const ExportRequest& request) {
    std::vector<std::unique_ptr<table::ExportQuery>> queries;
    const bool known =
        router_.supervisor().with_instance(request.protocol, [&](engine::Instance& instance) {
            if (!instance.descriptor().exports) return;
            for (const auto& each : instance.channels()) {
                if (!request.channel.empty() && each->name() != request.channel) continue;
                if (each->state() != channel::ChannelState::up) continue;
                queries.push_back(std::make_unique<ChannelQuery>(
                    router_, request.kind, std::string(request.protocol), *each));
            }
        });
    if (!known) return fail(fmt::format("{} is not a protocol", request.protocol));
    if (queries.empty()) {
        return fail(
            "Requested 'show route export' to protocols which aren't accepting exports at all.");
    }
    return queries;
}

}  // namespace tern::daemon
