#pragma once
/// The device protocol: keeps the interface registry equal to what the kernel has.
/// One instance, in the main loop. It listens to the kernel's notifications and scans from time to
/// time, and at once after an overrun. It has no channels and announces no routes; when it stops,
/// every interface is reported gone.

#include "loops/timer.h"
#include "router/engine/instance.h"
#include "router/engine/protocol.h"
#include "router/os/netlink_socket.h"
#include "router/proto/device/config.h"

#include <memory>
#include <optional>

namespace tern::device {

class Device final : public engine::Protocol {
  public:
    explicit Device(engine::Instance& instance);

    void start() override;
    void shutdown(const engine::StopRequest& request) override;
    bool reconfigure(const config::ProtocolConfig& next, config::Effect effect) override;
    void cleanup() override;
    bool refresh_import(channel::Channel& channel) override;

  private:
    [[nodiscard]] const DeviceConfig& config() const { return *config_; }

    void scan();
    void set_timer();
    void on_scan_timer();
    static void on_message(Bytes message, void* device);
    static void on_batch_end(void* device);
    static void on_overrun(void* device);
    static void on_dumped(Bytes message, void* update);

    const DeviceConfig* config_;
    iface::Registry::Update::Preferences preferences_;
    std::optional<os::NetlinkSocket> requests_;
    std::unique_ptr<os::NetlinkMonitor> monitor_;
    /// Open while one batch of notifications is read.
    std::unique_ptr<iface::Registry::Update> update_;
    loops::Timer scan_timer_;
};

/// How the engine makes it.
[[nodiscard]] const engine::ProtocolDescriptor& descriptor();

}  // namespace tern::device
