#pragma once
/// Export groups without sessions: a table with everything around it on virtual time, and
/// neighbours that announce routes to it and read what their group writes. Owned by a test; one
/// thread. Made for the tests of export groups; never part of a library.

#include "alloc/pool.h"
#include "loops/sim_runtime.h"
#include "router/attr/attribute_store.h"
#include "router/filter/filter.h"
#include "router/filter/testing.h"
#include "router/proto/bgp/attributes.h"
#include "router/proto/bgp/export_groups.h"
#include "router/proto/bgp/route_class.h"
#include "router/proto/bgp/wire/header.h"
#include "router/proto/bgp/wire/route_refresh.h"
#include "router/proto/bgp/wire/update.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::bgp::testing {

/// A table with everything around it, on virtual time.
struct World {
    World() : World(table::TableSettings{.name = "t"}) {}

    explicit World(const table::TableSettings& settings) {
        const loops::LoopEntry entry(main());
        pool.emplace(main_domain, "test");
        table.emplace(settings, table::TableServices{*pool, index, attributes, sources});
        groups.emplace(main(), *group, environment);
    }

    ~World() {
        sim.settle();
        groups.reset();
        const loops::LoopEntry entry(main());
        table.reset();
        pool.reset();
    }

    loops::Loop& main() { return sim.runtime().main_loop(); }

    /// Lets everything that was set off come to rest.
    void settle() { sim.run_for(loops::seconds(2)); }

    std::size_t group_count() {
        const loops::LoopEntry entry(main());
        return groups->stats().groups;
    }

    locking::Domain<level::Control> main_domain{"main"};
    loops::SimRuntime sim{main_domain, 7};
    loops::ThreadGroup* group = &sim.runtime().add_group({.threads = 2});
    attr::AttributeStore attributes;
    net::PrefixIndex index{net::NetType::ip4};
    table::SourceRegistry sources;
    filter::testing::QuietEnvironment environment;
    std::optional<alloc::Pool> pool;
    std::optional<table::Table> table;
    std::optional<ExportGroups> groups;
};

inline net::Prefix prefix_of(unsigned number) {
    return net::Prefix::ip4(0x0b000000U + (number << 8), 24);
}

/// A neighbour: announces routes to the table and reads what its group writes.
struct Neighbour {
    Neighbour(World& its_world, unsigned its_number)
        : world(its_world),
          number(its_number),
          loop(*world.group, domain, "neighbour"),
          member(loop,
                 {{on_data, this}, {on_may_merge, this}, {on_holds_up, this}, {on_limit, this}}) {
        facts.kind = PeerKind::external;
        facts.local_as = facts.public_as = AsNumber(65000);
        facts.remote_as = AsNumber(65001 + number);
        facts.remote_id = RouterId(1 + number);
        facts.local_address = net::IpAddress::v4(0x0a0000fe);
        facts.remote_address = net::IpAddress::v4(0x0a000001 + number);
        owner = new BgpOwner("n" + std::to_string(number), facts);
        source = world.sources.acquire(*owner, 0);
        member.address = facts.remote_address;
        member.owner = owner;
    }

    ~Neighbour() {
        leave();
        world.sources.release(source);
        world.sources.release_owner(owner);
    }

    ExportProfile profile() const {
        ExportProfile out;
        out.table = &*world.table;
        out.settings.filter = &filter::Filter::accept_everything();
        out.settings.settle = {loops::milliseconds(1), loops::milliseconds(10)};
        out.facts = facts;
        out.hop.own = {facts.local_address, {}};
        if (keep_hop) out.hop.keep = HopSwitch::on;
        if (secondary) out.settings.mode = table::ReadMode::all;
        out.settings.secondary = secondary;
        out.enhanced_refresh = true;
        return out;
    }

    void join() {
        const loops::LoopEntry entry(loop);
        world.groups->join(member, profile());
    }

    void leave() {
        const loops::LoopEntry entry(loop);
        world.groups->leave(member);
    }

    void refresh() {
        const loops::LoopEntry entry(loop);
        world.groups->refresh(member);
    }

    void announce(unsigned prefix, unsigned path_length) {
        announce(prefix, path_length, facts.remote_address);
    }

    void announce(unsigned prefix, unsigned path_length, net::IpAddress hop) {
        alloc::Arena arena;
        attr::AttributeList list(arena, nullptr);
        std::vector<std::uint8_t> path{2, static_cast<std::uint8_t>(path_length)};
        for (unsigned i = 0; i < path_length; ++i) {
            path.resize(path.size() + 4);
            store_u32(path.data() + path.size() - 4, i == 0 ? facts.remote_as.value() : 64000 + i);
        }
        list.set_word(id::origin, attr::ValueType::enum_bgp_origin, 0);
        list.set_bytes(id::as_path, attr::ValueType::as_path, path);
        list.set_ip(id::next_hop, hop);
        const attr::AttributeSet* set = world.attributes.intern(list);
        change(prefix, set);
        world.attributes.release(set);
    }

    /// A path of that many full segments.
    void announce_long(unsigned prefix, unsigned segments) {
        alloc::Arena arena;
        attr::AttributeList list(arena, nullptr);
        std::vector<std::uint8_t> path;
        for (unsigned i = 0; i < segments; ++i) {
            path.insert(path.end(), {2, 255});
            path.resize(path.size() + 255 * 4, 1);
        }
        list.set_word(id::origin, attr::ValueType::enum_bgp_origin, 0);
        list.set_bytes(id::as_path, attr::ValueType::as_path, path);
        list.set_ip(id::next_hop, facts.remote_address);
        const attr::AttributeSet* set = world.attributes.intern(list);
        change(prefix, set);
        world.attributes.release(set);
    }

    void withdraw(unsigned prefix) { change(prefix, nullptr); }

    /// What the group says of it.
    bool told(unsigned prefix) {
        const loops::LoopEntry entry(loop);
        const auto known = net::PrefixIndex::Batch(world.index).find(prefix_of(prefix));
        if (!known) return false;
        const loops::LoopEntry group(member.group->loop());
        return member.group->has_announced(member, *known);
    }

    /// Null withdraws.
    void change(unsigned prefix, const attr::AttributeSet* set) {
        const loops::LoopEntry entry(loop);
        const net::PrefixId id = net::PrefixIndex::Batch(world.index).acquire(prefix_of(prefix));
        {
            table::Table::Writer writer(*world.table);
            table::RouteValue route;
            route.attributes = set;
            route.source = source;
            route.prefix = id;
            route.preference = 100;
            if (set != nullptr) {
                writer.put(route);
            } else {
                writer.withdraw(id, source);
            }
        }
        net::PrefixIndex::Batch(world.index).release(id);
    }

    static void on_data(void* context, loops::Turn&) {
        static_cast<Neighbour*>(context)->read(SIZE_MAX);
    }

    static void on_may_merge(void* context, loops::Turn&) {
        auto& self = *static_cast<Neighbour*>(context);
        self.world.groups->try_merge(self.member);
    }

    static void on_holds_up(void* context, loops::Turn&) {
        auto& self = *static_cast<Neighbour*>(context);
        self.world.groups->part_if_slow(self.member);
    }

    static void on_limit(void*, loops::Turn&) {}

    /// Reads again what gathered while it was deaf.
    void hear() {
        deaf = false;
        const loops::LoopEntry entry(loop);
        member.wake.send(loop);
    }

    std::size_t backlog() {
        const loops::LoopEntry entry(loop);
        const loops::LoopEntry group(member.group->loop());
        return member.group->backlog();
    }

    void read(std::size_t max) {
        if (deaf) return;
        while (max != 0) {
            std::vector<Bytes> pieces;
            {
                const loops::LoopEntry entry(member.group->loop());
                member.group->collect(member, pieces, 8);
            }
            if (pieces.empty()) break;
            std::size_t taken = 0;
            for (const Bytes piece : pieces) {
                const std::size_t n = std::min(piece.size(), max);
                input.insert(input.end(), piece.begin(),
                             piece.begin() + static_cast<std::ptrdiff_t>(n));
                taken += n;
                max -= n;
            }
            const loops::LoopEntry entry(member.group->loop());
            member.group->consumed(member, taken);
        }
        parse();
    }

    void parse() {
        Bytes rest(input);
        for (;;) {
            const auto frame = wire::frame(rest, wire::message_max);
            REQUIRE(frame.has_value());
            if (!frame->complete) break;
            if (frame->type == wire::MessageType::update) apply(frame->body);
            if (frame->type == wire::MessageType::route_refresh) ++marks;
            rest = rest.subspan(frame->length);
        }
        input.erase(input.begin(), input.end() - static_cast<std::ptrdiff_t>(rest.size()));
    }

    void apply(Bytes body) {
        const std::vector<wire::FamilyRules> families{{wire::ipv4_unicast}};
        wire::decode_update(body, {.families = families}, decoded);
        REQUIRE(decoded.treatment == wire::Treatment::none);
        if (decoded.end_of_rib) ++ends_of_rib;
        wire::Nlri nlri;
        for (wire::NlriCursor gone(decoded.withdrawn); gone.next(nlri);) {
            if (routes.erase(wire::to_prefix(wire::ipv4_unicast, nlri)) == 0) ++needless;
        }
        for (wire::NlriCursor told(decoded.announced.nlri); told.next(nlri);) {
            const Bytes path = decoded.find(wire::code::as_path)->payload;
            routes[wire::to_prefix(wire::ipv4_unicast, nlri)] = {path.begin(), path.end()};
        }
    }

    World& world;
    unsigned number;
    locking::Domain<level::Protocol> domain{"neighbour"};
    loops::Loop loop;
    SessionFacts facts;
    BgpOwner* owner;
    table::SourceId source{};
    ExportMember member;
    std::vector<std::uint8_t> input;
    std::map<net::Prefix, std::vector<std::uint8_t>> routes;
    wire::DecodedUpdate decoded;
    unsigned ends_of_rib = 0;
    unsigned marks = 0;
    unsigned needless = 0;  // withdrawals of what was not told
    bool deaf = false;
    bool keep_hop = false;
    bool secondary = false;
};

/// What the table says this neighbour has to know: all best routes but its own, or with `secondary`
/// the best routes that are not its own.
inline std::map<net::Prefix, std::vector<std::uint8_t>> expected(World& world,
                                                                 const Neighbour& to) {
    std::map<net::Prefix, std::vector<std::uint8_t>> out;
    table::Table::View view(*world.table);
    for (std::uint32_t i = 0; i < view.id_limit(); ++i) {
        const auto own = [&](const table::Route& route) {
            return &world.sources.owner(route.source) == to.owner;
        };
        const table::Route* best = view.routes(net::PrefixId{i});
        while (to.secondary && best != nullptr && own(*best))
            best = best->next;
        if (best == nullptr || own(*best)) continue;
        const Bytes path = best->attributes->bytes(id::as_path);
        std::vector<std::uint8_t> told{2, static_cast<std::uint8_t>(path[1] + 1), 0, 0, 0xfd, 0xe8};
        told.insert(told.end(), path.begin() + 2, path.end());
        out[world.index.prefix(net::PrefixId{i})] = told;
    }
    return out;
}

}  // namespace tern::bgp::testing
