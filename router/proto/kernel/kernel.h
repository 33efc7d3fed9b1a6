#pragma once
/// The kernel protocol: keeps one table of the kernel equal to what its channel exports, and
/// imports routes of others if asked to. Lives in the main loop. Nothing is written before the
/// first scan, so that routes of an earlier life are taken over instead of flushed; see README.md
/// for the order. With `graceful restart` that first scan waits for the end of a recovery.
/// Refusals of the kernel mark the route in the table and are tried again at the
/// next scan.

#include "loops/event.h"
#include "loops/timer.h"
#include "router/channel/route_sink.h"
#include "router/engine/instance.h"
#include "router/engine/protocol.h"
#include "router/os/netlink_socket.h"
#include "router/proto/kernel/config.h"
#include "router/proto/kernel/messages.h"
#include "router/proto/kernel/sync.h"

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace tern::kernel {

class Kernel final : public engine::Protocol, private channel::RouteSink {
  public:
    explicit Kernel(engine::Instance& instance);
    ~Kernel() override;

    void start() override;
    void shutdown(const engine::StopRequest& request) override;
    bool reconfigure(const config::ProtocolConfig& next, config::Effect effect) override;
    bool refresh_import(channel::Channel& channel) override;

    [[nodiscard]] bool opens_channels() const override { return true; }

  private:
    /// A change that was handed to the batch; its number is the position in `pending_`.
    struct Pending {
        net::PrefixId prefix{};
        table::SourceId source{};
        Installed route;
        bool removal = false;
        bool added = false;
    };

    /// An imported route of somebody else.
    struct Learned {
        table::SourceId source{};
        const attr::AttributeSet* attributes = nullptr;
        bool seen = false;
    };

    using LearnedKey = std::pair<net::Prefix, std::uint32_t>;  // with its metric

    // RouteSink
    channel::Preexport preexport(const table::RouteValue& route,
                                 const table::SourceOwner& owner) override;
    void export_batch(std::span<const channel::ExportedRoute> routes) override;
    void end_of_feed() override;

    [[nodiscard]] bool ready() const override { return sync_.first_scan_done(); }

    [[nodiscard]] channel::Channel& channel() const { return *instance().channels().front(); }

    bool open_sockets();
    void export_prefix(std::span<const channel::ExportedRoute> routes);
    void collect_hops(std::span<const channel::ExportedRoute> routes);
    void write(const Wanted& wanted, const channel::ExportedRoute& best);
    void remove(net::PrefixId id, const net::Prefix& prefix, std::uint32_t metric);
    void flush_writes();
    void mark(const Pending& change, bool refused);

    /// After a graceful restart: nothing is written or removed yet, only learned.
    [[nodiscard]] bool deferring() const;
    void on_recovered();
    void begin_scan();
    void step_scan(loops::Turn& turn);
    void finish_scan();
    void fail_scan(const os::SystemError& error);
    void scan_soon();
    void found(const os::netlink::RouteMessage& message);
    void found_own(const os::netlink::RouteMessage& message);

    [[nodiscard]] bool learns(Kind kind) const;
    [[nodiscard]] const attr::AttributeSet* attributes_of(const os::netlink::RouteMessage& message);
    void learn(const os::netlink::RouteMessage& message);
    void unlearn(const os::netlink::RouteMessage& message);
    void forget(std::map<LearnedKey, Learned>::iterator it);
    void forget_unseen();

    void on_scan_timer();
    void on_interfaces();
    static void on_dumped(Bytes message, void* kernel);
    static void on_message(Bytes message, void* kernel);
    static void on_batch_end(void* kernel);
    static void on_overrun(void* kernel);

    const KernelConfig* config_;
    Place place_;
    Sync sync_;
    std::optional<os::NetlinkSocket> requests_;
    std::optional<os::NetlinkSocket> scans_;
    std::unique_ptr<os::RouteBatch> batch_;
    std::unique_ptr<os::NetlinkMonitor> monitor_;
    std::vector<Pending> pending_;
    os::netlink::RouteMessage message_;       // for writing
    os::netlink::RouteMessage seen_message_;  // for reading
    std::vector<attr::NextHop> hops_;
    std::map<LearnedKey, Learned> learned_;
    bool scanning_ = false;
    bool only_learning_ = false;  // in the scan under way
    loops::Timer scan_timer_;
    loops::Timer soon_timer_;
    loops::Event scan_event_;
    loops::Event interfaces_event_;
    loops::Event recovered_;
    std::optional<iface::Subscriber> interfaces_;
    LogLimit refusals_limit_{1, 5};
};

/// How the engine makes it.
[[nodiscard]] const engine::ProtocolDescriptor& descriptor();

}  // namespace tern::kernel
