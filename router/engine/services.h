#pragma once
/// The parts of a Router that protocols may use, as one bundle of references. The daemon (or a
/// simulated router) owns the parts and outlives every protocol. Each part says in its own header
/// which domain it needs; the bundle itself never changes after construction but for the identity,
/// which the supervisor replaces while no protocol that uses it runs.

#include "alloc/pool.h"
#include "loops/runtime.h"
#include "router/attr/attribute_def.h"
#include "router/attr/attribute_store.h"
#include "router/base/log.h"
#include "router/base/strong.h"
#include "router/config/protocol_config.h"
#include "router/filter/environment.h"
#include "router/iface/registry.h"
#include "router/os/network.h"
#include "router/table/route_source.h"
#include "router/table/table.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace tern::engine {

/// Finds tables by name; names are unique in a configuration.
class TableDirectory {
  public:
    [[nodiscard]] virtual table::Table* find(std::string_view name) const = 0;

  protected:
    ~TableDirectory() = default;
};

/// The runtime's groups behind the configured names; null stands for the default one.
class ThreadGroupDirectory {
  public:
    [[nodiscard]] virtual loops::ThreadGroup& group_of(
        const config::ThreadGroupConfig* config) const = 0;

  protected:
    ~ThreadGroupDirectory() = default;
};

class Recovery;

struct Identity {
    RouterId router_id;
    std::string hostname;
};

struct Services {
    loops::Runtime& runtime;
    loops::Loop& main_loop;
    alloc::Pool& pool;
    Logger& log;
    attr::AttributeStore& attributes;
    table::SourceRegistry& sources;
    iface::Registry& interfaces;
    os::Network& network;
    filter::Environment& filter_environment;
    const ThreadGroupDirectory& thread_groups;
    const TableDirectory& tables;
    Recovery& recovery;  ///< main loop only
    const Identity& identity;
};

}  // namespace tern::engine
