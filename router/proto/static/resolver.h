#pragma once
/// Looks hosts up in one IGP table, by longest match, and hears when the answer changes.
/// Belongs to one static protocol and lives in its loop. Reads the table's changes at its own
/// speed; what it does not use it forgets at once. One level only: a host found through a recursive
/// route counts as unreachable. It never writes into a table.

#include "loops/event.h"
#include "loops/loop.h"
#include "router/attr/core_attributes.h"
#include "router/iface/registry.h"
#include "router/table/export_reader.h"

#include <map>
#include <optional>
#include <vector>

namespace tern::static_routes {

/// Where a host is.
struct Resolution {
    attr::Destination destination = attr::Destination::unreachable;
    std::vector<attr::NextHop> hops;  ///< if unicast
    std::uint32_t metric = attr::metric_unknown;

    friend bool operator==(const Resolution&, const Resolution&) = default;
};

/// Told in the resolver's loop.
class ResolverObserver {
  public:
    virtual void host_changed(const net::IpAddress& host) = 0;

  protected:
    ~ResolverObserver() = default;
};

class Resolver {
  public:
    struct Setup {
        table::Table& table;
        const iface::Registry& interfaces;
        loops::Loop& loop;
    };

    Resolver(const Setup& setup, ResolverObserver& observer);
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    /// Known from now on, until as many calls of `remove`.
    const Resolution& add(const net::IpAddress& host);
    void remove(const net::IpAddress& host);

    [[nodiscard]] const Resolution& get(const net::IpAddress& host) const {
        return hosts_.at(host).resolution;
    }

    [[nodiscard]] std::size_t hosts() const { return hosts_.size(); }

  private:
    struct Host {
        std::uint32_t users = 0;
        std::optional<net::PrefixId> match;
        Resolution resolution;
        bool dirty = false;
    };

    static void on_news(void* resolver, loops::Turn& turn);
    bool mark(const net::PrefixId& id, const net::Prefix& prefix);
    void resolve(const net::IpAddress& address, Host& host);
    void watch(Host& host, std::optional<net::PrefixId> match);
    [[nodiscard]] Resolution through(const table::Route& route,
                                     const net::IpAddress& address) const;

    Setup setup_;
    ResolverObserver& observer_;
    loops::Event news_;
    table::ExportBatch batch_;
    table::ExportReader reader_;
    std::map<net::IpAddress, Host> hosts_;
    std::map<net::PrefixId, std::uint32_t> matches_;  // hosts per prefix that answers for them
};

}  // namespace tern::static_routes
