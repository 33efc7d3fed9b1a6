#pragma once
/// Watching addresses: is this neighbour on a link of ours, and on which?
/// A `NeighborTable` belongs to one user (a protocol, a table) and lives in its loop; it hears of
/// interfaces through a subscriber of its own and calls watchers in that loop when the answer
/// changes. It asks nobody on the network: on link means that an address of an interface that is up
/// covers it.

#include "loops/event.h"
#include "router/iface/registry.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace tern::iface {

/// What is being watched.
struct NeighborKey {
    net::IpAddress address;
    InterfaceIndex index = 0;           ///< only on this interface; 0: any
    std::string interface;              ///< or by name, which may not exist yet; empty: any
    std::optional<InterfaceIndex> vrf;  ///< see Registry::Where
    bool on_link = false;     ///< taken as reachable whenever the interface is up (`onlink`)
    bool check_link = false;  ///< also needs carrier
};

enum class NeighborState : std::uint8_t { absent, local, present };

/// One watched address. Owned by its user; destroyed before the table.
class NeighborWatch {
  public:
    using Function = void (*)(NeighborWatch& watch, void* context);

    NeighborWatch(const NeighborWatch&) = delete;
    NeighborWatch& operator=(const NeighborWatch&) = delete;
    ~NeighborWatch();

    [[nodiscard]] const NeighborKey& key() const { return key_; }

    [[nodiscard]] NeighborState state() const { return state_; }

    /// Null while absent.
    [[nodiscard]] const InterfaceRef& interface() const { return interface_; }

    /// Our address on that link, what next hop `self` and source addresses are taken from.
    [[nodiscard]] const Address& address() const { return address_; }

  private:
    friend class NeighborTable;
    NeighborWatch() = default;

    class NeighborTable* table_ = nullptr;
    NeighborKey key_;
    Function function_ = nullptr;
    void* context_ = nullptr;
    NeighborState state_ = NeighborState::absent;
    InterfaceRef interface_;
    Address address_;
};

class NeighborTable {
  public:
    NeighborTable(Registry& registry, loops::Loop& loop);
    NeighborTable(const NeighborTable&) = delete;
    NeighborTable& operator=(const NeighborTable&) = delete;
    /// All watches must be gone.
    ~NeighborTable();

    /// The state is right on return; `function` is called at later changes, in the table's loop.
    [[nodiscard]] std::unique_ptr<NeighborWatch> watch(const NeighborKey& key,
                                                       NeighborWatch::Function function,
                                                       void* context);

    /// Looks at all watches now instead of at the next event, as the event does.
    void refresh() { run(); }

    [[nodiscard]] std::size_t size() const { return watches_.size(); }

  private:
    friend class NeighborWatch;

    bool evaluate(NeighborWatch& watch) const;
    void run();

    Registry& registry_;
    loops::Event event_;
    Subscriber subscriber_;
    std::vector<NeighborWatch*> watches_;
    bool walking_ = false;
};

}  // namespace tern::iface
