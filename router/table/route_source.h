#pragma once
/// Who announced a route. A `SourceOwner` is one protocol instance in one session of its life (it
/// carries the facts that comparing and showing its routes needs); a `RouteSource` is one stream of
/// routes of an owner, told apart by a path id (ADD-PATH, kernel metric, static route number).
/// Routes name sources by dense id. Ids and owners stay valid while a route, a batch or the owner's
/// protocol holds a use; the last drop gives the id back. Lookups by id take no lock. Never used
/// for ordering: ids are recycled.

#include "locking/domain.h"
#include "router/base/lock_order.h"
#include "router/net/ip_address.h"
#include "router/table/route.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tern::table {

class SourceOwner;
class Table;

/// What is common to the routes of one protocol type: how two of them compare and what
/// `show route` says about one. Stateless; one object per type, owned by the protocol's descriptor.
class RouteClass {
  public:
    constexpr RouteClass() = default;
    RouteClass(const RouteClass&) = delete;
    RouteClass& operator=(const RouteClass&) = delete;
    constexpr virtual ~RouteClass() = default;

    /// Fixed place among the protocol types: decides between routes of equal preference, lower
    /// wins.
    [[nodiscard]] virtual unsigned order() const = 0;

    /// Does `a` beat `b`? Both are of this class, usable and of equal preference. A tie says no, so
    /// that the older route stays; as all do unless the class says otherwise.
    [[nodiscard]] virtual bool better(const RouteValue& /*a*/,
                                      const SourceOwner& /*owner_a*/,
                                      const RouteValue& /*b*/,
                                      const SourceOwner& /*owner_b*/) const {
        return false;
    }

    /// May both be used at once (kernel `merge paths`)?
    [[nodiscard]] virtual bool mergeable(const RouteValue& /*a*/,
                                         const SourceOwner& /*owner_a*/,
                                         const RouteValue& /*b*/,
                                         const SourceOwner& /*owner_b*/) const {
        return false;
    }

    /// The tail of the brief `show route` line, such as `(100) [AS65001i]`.
    [[nodiscard]] virtual std::string info(const RouteValue& route,
                                           const SourceOwner& owner) const = 0;
};

/// One announcing instance. Protocols derive from it to add facts (BGP: session facts).
/// Created and released by its protocol; destroyed when the last source of it is gone.
class SourceOwner {
  public:
    SourceOwner(const RouteClass& route_class, std::string protocol_name)
        : route_class_(route_class), protocol_name_(std::move(protocol_name)) {}

    SourceOwner(const SourceOwner&) = delete;
    SourceOwner& operator=(const SourceOwner&) = delete;
    virtual ~SourceOwner() = default;

    [[nodiscard]] const RouteClass& route_class() const { return route_class_; }

    [[nodiscard]] const std::string& protocol_name() const { return protocol_name_; }

    /// Where the routes came from: the default of the filter attribute `from`; unspecified if
    /// local.
    [[nodiscard]] virtual net::IpAddress from() const { return {}; }

    /// The filter attribute `source` (RTS_*) unless the route's set has one.
    [[nodiscard]] virtual std::uint32_t source_kind() const = 0;

    /// How many pipes the route went through, and the last of them (null: none).
    [[nodiscard]] virtual unsigned generation() const { return 0; }

    [[nodiscard]] virtual const void* last_pipe() const { return nullptr; }

    /// Prefixes of that net type whose best route in some table is one of ours.
    [[nodiscard]] std::uint64_t preferred(net::NetType type) const {
        return preferred_[static_cast<std::size_t>(type)].load(std::memory_order_relaxed);
    }

    /// The owner whose facts compare: a pipe's owner stands for the original one.
    [[nodiscard]] virtual const SourceOwner& original() const { return *this; }

  private:
    friend class SourceRegistry;
    friend class Table;
    const RouteClass& route_class_;
    std::string protocol_name_;
    std::unordered_map<std::uint32_t, SourceId> sources_;  // guarded by the registry's domain
    std::uint32_t references_ = 1;  // likewise: the protocol's own, sources, owners that keep it
    SourceOwner* kept_ = nullptr;   // likewise
    mutable std::array<std::atomic<std::uint64_t>, 16> preferred_ =
        {};  // by net type, kept by tables
};

struct RouteSource {
    SourceOwner* owner = nullptr;
    std::uint32_t path_id = 0;
    std::atomic<std::uint32_t> uses{0};
};

class SourceRegistry {
  public:
    SourceRegistry();
    SourceRegistry(const SourceRegistry&) = delete;
    SourceRegistry& operator=(const SourceRegistry&) = delete;
    ~SourceRegistry();

    /// The source of (owner, path id) with one more use, which the caller has to `release`.
    SourceId acquire(SourceOwner& owner, std::uint32_t path_id);

    void add_use(SourceId id) { get(id).uses.fetch_add(1, std::memory_order_relaxed); }

    void release(SourceId id);
    /// Once per owner: `original` stays as long as `owner` does (a pipe's owner speaks for it).
    void keep_original(SourceOwner& owner, SourceOwner& original);
    /// The protocol's own hold on its owner; without sources left the owner is destroyed at once.
    void release_owner(SourceOwner* owner);

    /// Valid while the caller (or a route it can see under its table's domain) holds a use.
    [[nodiscard]] RouteSource& get(SourceId id) const {
        const auto number = static_cast<std::uint32_t>(id);
        return chunks_[number / chunk_size].load(std::memory_order_acquire)[number % chunk_size];
    }

    [[nodiscard]] const SourceOwner& owner(SourceId id) const { return *get(id).owner; }

    [[nodiscard]] std::size_t live() const;

  private:
    static constexpr std::size_t chunk_size = 256;
    static constexpr std::size_t max_chunks = 1 << 16;

    SourceId take_id();
    void drop_owner_reference(SourceOwner* owner);

    mutable locking::Domain<level::RouteSources> domain_{"route sources"};
    std::unique_ptr<std::atomic<RouteSource*>[]> chunks_;
    std::uint32_t next_ = 0;
    std::deque<SourceId> free_;  // first in, first out: an id stays unused as long as possible
    std::size_t live_ = 0;
};

/// Does `a` beat `b` for its prefix? Preference first, then the protocol types' order, then the
/// type's own rule (RFC 4271 section 9.1.2.2 for BGP). Filtered routes lose against usable ones.
[[nodiscard]] bool better(const RouteValue& a, const RouteValue& b, const SourceRegistry& sources);

}  // namespace tern::table
