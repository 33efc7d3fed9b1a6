#include "router/proto/bgp/import.h"

#include "alloc/arena.h"
#include "loops/loop.h"
#include "router/attr/core_attributes.h"
#include "router/proto/bgp/attributes.h"
#include "router/proto/bgp/error_policy.h"
#include "router/proto/bgp/path_checks.h"

namespace tern::bgp {

namespace {

constexpr loops::Duration igp_settle_min = loops::milliseconds(50);
constexpr loops::Duration igp_settle_max = loops::seconds(1);
constexpr std::size_t rewrite_stride = 4096;

}  // namespace

Import::Import(engine::Instance& instance,
               const BgpConfig& config,
               const SessionParameters& parameters,
               BgpOwner& owner)
    : instance_(instance),
      config_(&config),
      facts_(owner.facts()),
      owner_(owner),
      source_(instance.services().sources.acquire(owner, 0)),
      igp_news_(loops::callback<&Import::on_igp_changed>(*this)),
      igp_settle_(instance.loop(), loops::callback<&Import::on_igp_settled>(*this)) {
    for (const NegotiatedFamily& family : parameters.families) {
        family_rules_.push_back(family.receive);
    }
    rules_.families = family_rules_;
    rules_.attributes = {.as4 = parameters.as4,
                         .interior = facts_.interior(),
                         .confederation = facts_.kind == PeerKind::confederation,
                         .accept_local_pref = facts_.allow_local_pref,
                         .accept_as_sets = facts_.allow_as_sets,
                         .accept_aigp = false};
}

Import::~Import() {
    igp_news_.cancel();
    instance_.services().sources.release(source_);
}

void Import::add_channel(channel::Channel& channel, const BgpChannelConfig& config) {
    GatewayRules rules;
    rules.recursive = config.gateway.value_or(GatewayMode::direct) == GatewayMode::recursive;
    rules.prefer_link_local =
        config.next_hop_prefer.value_or(HopPreference::global) == HopPreference::local;
    rules.onlink = config_->onlink;
    rules.interface = facts_.interface;
    rules.cost = config.cost;
    rules.igp4 = igp_table(config, net::NetType::ip4);
    rules.igp6 = igp_table(config, net::NetType::ip6);
    if (config.aigp.value_or(AigpMode::off) != AigpMode::off) rules_.attributes.accept_aigp = true;
    families_.push_back({config.family, &channel,
                         std::make_unique<Gateways>(instance_.services().interfaces, rules),
                         nullptr, nullptr});
    if (rules.recursive) watch(families_.back());
}

/// The table that resolves next hops of this type: the one named, the channel's own, what the
/// channel of the other family has, the default table.
table::Table* Import::igp_table(const BgpChannelConfig& config, net::NetType type) const {
    const auto named = [&](const BgpChannelConfig& channel) {
        return type == net::NetType::ip4 ? channel.igp_table4 : channel.igp_table6;
    };
    const auto own = [&](const BgpChannelConfig& channel) {
        return channel.table->type == type ? channel.table : nullptr;
    };
    const config::TableConfig* found = named(config);
    if (found == nullptr) found = own(config);
    for (std::size_t i = 0; found == nullptr && i < config_->channels.size(); ++i) {
        found = named(*config_->bgp_channel(i));
    }
    for (std::size_t i = 0; found == nullptr && i < config_->channels.size(); ++i) {
        found = own(*config_->bgp_channel(i));
    }
    const engine::TableDirectory& tables = instance_.services().tables;
    if (found != nullptr) return tables.find(found->name);
    return tables.find(type == net::NetType::ip4 ? "master4" : "master6");
}

void Import::close() {
    open_ = false;
    igp_news_.cancel();
    igp_settle_.cancel();
    for (Family& family : families_) {
        family.igp4.reset();
        family.igp6.reset();
    }
}

void Import::watch(Family& family) {
    const GatewayRules& rules = family.gateways->rules();
    const auto reader = [&](table::Table* table) {
        return table == nullptr ? nullptr
                                : std::make_unique<table::ExportReader>(
                                      *table, table::ReadMode::best, igp_news_, instance_.loop());
    };
    family.igp4 = reader(rules.igp4);
    family.igp6 = reader(rules.igp6);
    igp_news_.send(instance_.loop());
}

Import::Family* Import::find(wire::Family family) {
    for (Family& each : families_) {
        if (each.family == family) return &each;
    }
    return nullptr;
}

channel::Channel* Import::channel(wire::Family family) const {
    for (const Family& each : families_) {
        if (each.family == family) return each.channel;
    }
    return nullptr;
}

/// Without ADD-PATH all routes of the session have one source; otherwise one per path id.
table::SourceId Import::source(std::uint32_t path_id) {
    if (path_id == 0) {
        instance_.services().sources.add_use(source_);
        return source_;
    }
    return instance_.services().sources.acquire(owner_, path_id);
}

void Import::withdraw(const wire::NlriField& field) {
    Family* family = find(field.family);
    if (family == nullptr) return;
    wire::NlriCursor cursor(field);
    for (wire::Nlri nlri; open_ && cursor.next(nlri);) {
        const table::SourceId id = source(nlri.path_id);
        family->channel->import().withdraw(wire::to_prefix(field.family, nlri), id);
        instance_.services().sources.release(id);
    }
}

const attr::AttributeSet* Import::make_set(Family& family, Bytes next_hop, std::uint8_t& flags) {
    const alloc::Arena::Scope scratch(alloc::scratch());
    attr::AttributeList list(scratch.arena(), nullptr);
    fill_attributes(decoded_, next_hop, list);
    complete_import(facts_, list);
    const wire::NextHop hop = wire::read_next_hop(next_hop);
    const Gateway& gateway = family.gateways->find(hop);
    list.set_borrowed(attr::core::next_hop, attr::ValueType::next_hops, gateway.next_hops);
    if (gateway.metric != 0) {
        list.set_word(attr::core::local_metric, attr::ValueType::int_, gateway.metric);
    }
    std::vector<std::uint8_t> recursive;
    if (family.gateways->rules().recursive) {
        attr::RecursiveNextHop{.host = hop.address, .link_local = hop.link_local}.encode(recursive);
        list.set_borrowed(attr::core::recursive, attr::ValueType::recursive_next_hop, recursive);
    }
    if (!gateway.reachable) flags |= table::route_unresolvable;
    return instance_.services().attributes.intern(list);
}

void Import::announce(const wire::Announcement& announcement, loops::Instant now) {
    Family* family = find(announcement.nlri.family);
    if (family == nullptr || !open_) return;
    std::uint8_t flags = 0;
    const attr::AttributeSet* set = make_set(*family, announcement.next_hop, flags);
    wire::NlriCursor cursor(announcement.nlri);
    channel::ImportPath& import = family->channel->import();
    for (wire::Nlri nlri; open_ && cursor.next(nlri);) {
        const net::Prefix prefix = wire::to_prefix(announcement.nlri.family, nlri);
        if (nlri.path_id == 0) {
            import.announce(prefix, set, source_, now, flags);
            continue;
        }
        const table::SourceId id = source(nlri.path_id);
        import.announce(prefix, set, id, now, flags);
        instance_.services().sources.release(id);
    }
    instance_.services().attributes.release(set);
}

std::optional<wire::Notification> Import::update(Bytes body, loops::Instant now) {
    ++counters_.updates;
    wire::decode_update(body, rules_, decoded_);
    if (!decoded_.faults().empty()) log_faults();
    PathVerdict path = PathVerdict::ok;
    const bool announces = !decoded_.announced.empty() || !decoded_.mp_announced.empty();
    if (announces) path = check_path(decoded_, facts_);
    if (path != PathVerdict::ok) {
        ++counters_.refused_paths;
        instance_.trace(config::Trace::routes, "Update refused ({}), treating as withdraw",
                        verdict_text(path));
    }
    const UpdateVerdict verdict = judge(decoded_, path != PathVerdict::ok);
    if (verdict.reset) return decoded_.error;
    for (const wire::NlriField& field : verdict.withdrawn())
        withdraw(field);
    for (const wire::Announcement& each : verdict.announced())
        announce(each, now);
    return std::nullopt;
}

void Import::log_faults() {
    ++counters_.faulty;
    for (const wire::AttributeFault& fault : decoded_.faults()) {
        instance_.services().log.log_limited(fault_limit_, Severity::remote, instance_.name(),
                                             "Bad UPDATE: {}", fault_text(fault));
    }
}

void Import::flush() {
    for (const Family& family : families_)
        family.channel->import().flush();
}

void Import::on_igp_changed(loops::Turn&) {
    igp_settle_.kick(igp_settle_min, igp_settle_max);
}

/// Reads the news away: only that there were some matters.
void Import::drain(table::ExportReader* reader) {
    if (reader == nullptr) return;
    table::ExportBatch batch(reader->table().services());
    reader->skip_feed();
    while (reader->read(batch, rewrite_stride) != table::ExportReader::Progress::idle) {
    }
}

void Import::on_igp_settled(loops::Turn&) {
    for (Family& family : families_) {
        drain(family.igp4.get());
        drain(family.igp6.get());
        for (const Gateway& gateway : family.gateways->changed()) {
            rewrite(family.channel->table(), gateway);
            if (table::Table* kept = family.channel->received()) rewrite(*kept, gateway);
        }
    }
}

const attr::AttributeSet* Import::with_gateway(const attr::AttributeSet* set,
                                               const Gateway& gateway) {
    const alloc::Arena::Scope scratch(alloc::scratch());
    attr::AttributeList list(scratch.arena(), set);
    list.set_borrowed(attr::core::next_hop, attr::ValueType::next_hops, gateway.next_hops);
    if (gateway.metric != 0) {
        list.set_word(attr::core::local_metric, attr::ValueType::int_, gateway.metric);
    } else {
        list.unset(attr::core::local_metric);
    }
    return instance_.services().attributes.intern(list);
}

/// Gives all routes of this session over one host their new gateway, in strides.
void Import::rewrite(table::Table& table, const Gateway& gateway) {
    const table::TableServices& services = table.services();
    std::vector<table::RouteValue> routes;
    std::uint32_t position = 0;
    for (bool more = true; more;) {
        table::RouteHolds holds(services);
        routes.clear();
        {
            table::Table::View view(table);
            const std::uint32_t end =
                std::min<std::uint32_t>(view.id_limit(), position + rewrite_stride);
            for (; position < end; ++position) {
                for (const table::Route* route = view.routes(net::PrefixId{position});
                     route != nullptr; route = route->next) {
                    if (&services.sources.owner(route->source) != &owner_) continue;
                    const auto host = attr::RecursiveNextHop::decode(
                        route->attributes->bytes(attr::core::recursive));
                    if (!host || host->host != gateway.hop.address) continue;
                    holds.hold(*route);
                    routes.push_back(*route);
                }
            }
            more = position < view.id_limit();
        }
        for (table::RouteValue& route : routes) {
            const attr::AttributeSet* changed = with_gateway(route.attributes, gateway);
            route.attributes = changed;
            route.flags = static_cast<std::uint8_t>(gateway.reachable
                                                        ? route.flags & ~table::route_unresolvable
                                                        : route.flags | table::route_unresolvable);
            table::Table::Writer(table).put(route);
            services.attributes.release(changed);
        }
    }
}

}  // namespace tern::bgp
