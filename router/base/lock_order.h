#pragma once

/// THE list of lock levels of the router, outermost first; a thread may only go down this list.
/// Each level is a tag type for locking::Domain. Ranks leave gaps for later levels; ranks from
/// 60000 up belong to leaves inside the toolkit. Nothing here holds state.

#include "locking/lock_rank.h"

namespace tern::level {

/// Configuration, CLI sessions, engine, kernel and device protocols: the main loop. It starts and
/// stops everything, so it comes first and may lock any protocol or table synchronously.
struct Control {
    static constexpr locking::LockRank rank = 100;
    static constexpr std::string_view name = "control";
};

/// Shared listeners and services asked by protocols' owners but feeding protocols' loops.
struct Service {
    static constexpr locking::LockRank rank = 150;
    static constexpr std::string_view name = "service";
};

/// One protocol instance in its own loop; it imports into tables while holding itself.
struct Protocol {
    static constexpr locking::LockRank rank = 200;
    static constexpr std::string_view name = "protocol";
};

/// What BGP neighbours leave for each other and for their own next life: who listens, who waits.
struct BgpShared {
    static constexpr locking::LockRank rank = 280;
    static constexpr std::string_view name = "bgp_shared";
};

/// The list of all export groups of a router; a protocol looks for one to join.
struct ExportGroups {
    static constexpr locking::LockRank rank = 290;
    static constexpr std::string_view name = "export_groups";
};

/// A group of channels sharing an export; a protocol joins it, it reads tables.
struct ExportGroup {
    static constexpr locking::LockRank rank = 300;
    static constexpr std::string_view name = "export_group";
};

/// One routing table: routes, best routes, journal.
struct Table {
    static constexpr locking::LockRank rank = 400;
    static constexpr std::string_view name = "table";
};

/// Resolved recursive next hops; tables ask it while changing routes.
struct NextHopCache {
    static constexpr locking::LockRank rank = 450;
    static constexpr std::string_view name = "next_hop_cache";
};

/// Prefix to id mapping of one net type; used by tables and parsers in batches.
struct PrefixIndex {
    static constexpr locking::LockRank rank = 500;
    static constexpr std::string_view name = "prefix_index";
};

/// Interfaces, addresses and neighbours; read from nearly everywhere, asks nobody.
struct Interfaces {
    static constexpr locking::LockRank rank = 550;
    static constexpr std::string_view name = "interfaces";
};

/// One shard of interned attribute sets; routes are made and dropped under any of the above.
struct AttributeStore {
    static constexpr locking::LockRank rank = 600;
    static constexpr std::string_view name = "attribute_store";
};

/// Route sources and their owners: a table takes and drops uses while changing routes.
struct RouteSources {
    static constexpr locking::LockRank rank = 650;
    static constexpr std::string_view name = "route_sources";
};

/// Messages of filters on their way to the log.
struct FilterMessages {
    static constexpr locking::LockRank rank = 690;
    static constexpr std::string_view name = "filter_messages";
};

/// The log: everybody logs while holding anything, and logging calls nobody.
struct Log {
    static constexpr locking::LockRank rank = 700;
    static constexpr std::string_view name = "log";
};

using Order = locking::LockOrder<Control,
                                 Service,
                                 Protocol,
                                 BgpShared,
                                 ExportGroups,
                                 ExportGroup,
                                 Table,
                                 NextHopCache,
                                 PrefixIndex,
                                 Interfaces,
                                 AttributeStore,
                                 RouteSources,
                                 FilterMessages,
                                 Log>;
static_assert(Order::levels == 14);

}  // namespace tern::level
