#pragma once
/// The direct protocol: one route for each network of each interface that is up.
/// Lives in the main loop; hears of interfaces through a subscriber of its own and announces or
/// withdraws the difference. The path id of a route is the interface's index, so that one network
/// on two interfaces gives two routes. It exports nothing.

#include "loops/event.h"
#include "router/engine/instance.h"
#include "router/engine/protocol.h"
#include "router/iface/registry.h"
#include "router/proto/direct/config.h"

#include <memory>
#include <optional>
#include <set>
#include <unordered_map>

namespace tern::direct {

/// The networks of an interface that are to be announced. Pure.
[[nodiscard]] std::set<net::Prefix> networks_of(const iface::Interface& interface,
                                                const DirectConfig& config);

class Direct final : public engine::Protocol {
  public:
    explicit Direct(engine::Instance& instance);
    ~Direct() override;

    void start() override;
    void shutdown(const engine::StopRequest& request) override;
    bool reconfigure(const config::ProtocolConfig& next, config::Effect effect) override;
    bool refresh_import(channel::Channel& channel) override;

  private:
    struct Known {
        iface::InterfaceRef interface;
        table::SourceId source{};
        std::set<net::Prefix> announced;
    };

    void on_interfaces();
    void update(Known& known, const std::set<net::Prefix>& wanted, bool again);
    void forget(iface::InterfaceIndex index);
    void flush();
    [[nodiscard]] channel::Channel* channel_for(const net::Prefix& prefix) const;
    [[nodiscard]] const attr::AttributeSet* attributes_of(iface::InterfaceIndex index);

    const DirectConfig* config_;
    loops::Event event_;
    std::optional<iface::Subscriber> subscriber_;
    std::unordered_map<iface::InterfaceIndex, Known> known_;
};

/// How the engine makes it.
[[nodiscard]] const engine::ProtocolDescriptor& descriptor();

}  // namespace tern::direct
